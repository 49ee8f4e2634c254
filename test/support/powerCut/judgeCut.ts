import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { findDebris } from '../leftovers.ts';
import type { RunResult } from '../runProgram.ts';
import { startSediment } from '../sediment.ts';
import type { StoreRoot } from '../storeRoot.ts';
import { compareTrees } from '../treeListing.ts';
import { type Cut, imageAfter } from './cuts.ts';
import { mountImage, unmountAll } from './fileSystems.ts';
import type { PowerCutRecording, RecordedStep } from './recordPowerCuts.ts';
import { type VisibleState, visibleState } from './visibleState.ts';

/** Whether the store may show the state before a step that has ended, or must show the one after it. */
export type Promised = 'old or new' | 'new';

/**
 * Cuts the power, opens the store that is then found, and looks at it.
 *
 * @returns what is wrong; empty when all that is visible is whole and right, and nothing else is left
 */
export async function judgeCut(
  recording: PowerCutRecording,
  cut: Cut,
  promised: Promised = 'old or new',
): Promise<string[]> {
  return await afterCut(recording, cut, async (store) => {
    // the file system was made, but no store yet
    if (!existsSync(store.graphRoot)) return promised === 'new' ? ['there is no store'] : [];
    return [...(await judgeStore(store)), ...judgeState(recording, cut, promised)];
  });
}

/** Cuts the power, starts the machine anew, and hands out the store as it is then, opened by nobody. */
export async function afterCut<T>(
  { store, mountPoint, disk, log, fileSystem }: PowerCutRecording,
  cut: Cut,
  use: (store: StoreRoot) => Promise<T>,
): Promise<T> {
  const image = `${disk.base}.cut`;
  imageAfter(disk, log, cut, image);
  mountImage(fileSystem, image, mountPoint);
  try {
    rmSync(store.runRoot, { recursive: true });
    mkdirSync(store.runRoot, { mode: 0o700 });
    ageProbes(store);
    return await use(store);
  } finally {
    unmountAll(mountPoint);
    rmSync(image);
  }
}

/** A machine takes longer to start: what tries of overlay left is older then than they can last. */
function ageProbes({ graphRoot }: StoreRoot): void {
  const home = join(graphRoot, 'overlay');
  if (!existsSync(home)) return;
  for (const name of readdirSync(home)) {
    if (/^compat|-check/.test(name)) utimesSync(join(home, name), 0, 0);
  }
}

/** What the next opener says and leaves, what a check finds, and what the kept blobs contain. */
async function judgeStore(store: StoreRoot): Promise<string[]> {
  const checked = await startSediment(store, ['check']);
  const debris = findDebris(store).map((path) => `left after opening: ${path}`);
  return [...complaintsOf(checked), ...debris, ...damagedBlobs(store)];
}

/** It may say that it took away what was left. */
function complaintsOf({ exitCode, stdout, stderr }: RunResult): string[] {
  const lines = stderr
    .split('\n')
    .filter((line) => line !== '' && !/\[(DEBRIS|INCOMPLETE_LAYER)_REMOVED\]$/.test(line));
  if (exitCode === 0 && lines.length === 0) return [];
  return [`check: exit status ${exitCode}: ${[...lines, stdout].join('\n')}`];
}

/** Blobs that anybody may read in place, and that are not what their names say. */
function damagedBlobs({ graphRoot }: StoreRoot): string[] {
  const directory = join(graphRoot, 'sediment/oci/blobs/sha256');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const digestOf = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(directory, name)))
      .digest('hex');
  return names
    .filter((name) => digestOf(name) !== name)
    .map((name) => `kept blob ${name} has another content`);
}

/** Compares what is visible with what could have been seen until then. */
function judgeState({ store, steps }: PowerCutRecording, cut: Cut, promised: Promised): string[] {
  const seen = visibleState(store);
  const ended = steps.filter(({ to }) => to <= cut.events);
  const current = steps[ended.length];
  const last = ended.at(-1);
  const possible = [...ended, ...(current === undefined ? [] : [current])];
  const lists = ['images', 'containers'] as const;
  return [
    ...(promised === 'new' && last !== undefined ? sameAs(seen, last) : []),
    ...lists.flatMap((list) => {
      const states = [new Map<string, string>(), ...possible.map(({ state }) => state[list])];
      return states.some((state) => equalMaps(state, seen[list]))
        ? []
        : [`${list} are those of no moment: ${JSON.stringify([...seen[list].values()])}`];
    }),
    ...changedLayers(seen, possible),
  ];
}

/** A layer that is visible is one of those that were made, and has all of its content. */
function changedLayers(seen: VisibleState, possible: readonly RecordedStep[]): string[] {
  return [...seen.trees].flatMap(([id, tree]) => {
    const known = possible.flatMap(({ state }) => state.trees.get(id) ?? []);
    const compared = known.map((each) => compareTrees(tree, each));
    if (compared.some((lines) => lines.length === 0)) return [];
    return [`layer ${id}: ${compared.at(-1)?.slice(0, 5).join('; ') ?? 'was never there'}`];
  });
}

/** A step that has ended is seen in all that it changed. */
function sameAs(seen: VisibleState, { state }: RecordedStep): string[] {
  return (['images', 'containers', 'layers'] as const)
    .filter((list) => !equalMaps(seen[list], state[list]))
    .map((list) => `${list} are not those of the end: ${JSON.stringify([...seen[list].values()])}`);
}

function equalMaps(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([id, text]) => b.get(id) === text);
}
