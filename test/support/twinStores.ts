import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandText } from './commandText.ts';
import { compareStores } from './compareStores.ts';
import { DROPIN, runDropin } from './dropin.ts';
import { findDebris } from './leftovers.ts';
import { containersStorageAsIs, peerPath, withRoots } from './peers.ts';
import type { RunOptions, RunResult } from './runProgram.ts';
import { type DriverName, makeStoreRoot, type StoreRoot, type StoreRootOptions } from './storeRoot.ts';
import { type StoreSnapshot, snapshotStore } from './storeSnapshot.ts';
import type { TreeEntry } from './treeListing.ts';

/** What a step says and how it ends, after {@link CommandText.generalise}. */
export interface Outcome {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

export interface StepOptions extends Pick<RunOptions, 'env' | 'cwd' | 'umask'> {
  /** Bytes for standard input. */
  stdin?: string | Uint8Array;
  /**
   * Where the contract follows newer versions than the peer: what ours says instead. A part that the peer
   * says as well is reported, so that no claim here goes unneeded.
   */
  contract?: Partial<Outcome>;
  /** What the peer is given instead, when it lacks the command or the flag. */
  peerArgs?: readonly string[];
  /** The peer is not run: it cannot do this at all. Needs a whole {@link contract}. */
  oursAlone?: true;
  /** The order of lines is not fixed. */
  unordered?: true;
  /** What is said on standard error may have other words; both say something there, or neither does. */
  ownWords?: true;
  /** The arguments are all there are: no roots and no driver are added. */
  asIs?: true;
  /** Makes standard output comparable; without it bytes that are no text are compared by their digest. */
  show?(stdout: Buffer): string;
}

/** The command with its arguments, in which the placeholders of {@link CommandText.fill} are filled in. */
export type Step = readonly [args: readonly string[], options?: StepOptions];

interface Twin {
  readonly store: StoreRoot;
  readonly text: CommandText;
  run(args: readonly string[], options: RunOptions): Promise<RunResult>;
}

/**
 * Two stores that get the same commands: one from the Go program, one from ours. What both programs
 * print is compared step by step; {@link TwinStores.compare} compares what became of the stores.
 */
export class TwinStores implements AsyncDisposable {
  readonly #peer: Twin;
  readonly #ours: Twin;
  readonly #startMs = Date.now();

  constructor(options?: StoreRootOptions) {
    const [theirs, own] = [makeStoreRoot(options), makeStoreRoot(options)];
    this.#peer = {
      store: theirs,
      text: new CommandText(theirs, peerPath('containers-storage')),
      run: (args, runOptions) => containersStorageAsIs(theirs, args, { ...runOptions, mayFail: true }),
    };
    this.#ours = {
      store: own,
      text: new CommandText(own, DROPIN),
      run: (args, runOptions) => runDropin(own, args, runOptions),
    };
  }

  get driver(): DriverName {
    return this.#ours.store.driver;
  }

  /** The stores: the peer's and ours. */
  get stores(): readonly [peer: StoreRoot, ours: StoreRoot] {
    return [this.#peer.store, this.#ours.store];
  }

  /** Writes a file for both; returns its path with a placeholder. */
  file(name: string, content: string | Uint8Array): string {
    this.inBoth((store) => {
      const path = join(store.path, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    });
    return `{DIR}/${name}`;
  }

  /** Does the same to both stores by other means than commands; `fill` fills placeholders in. */
  inBoth(act: (store: StoreRoot, fill: (text: string) => string) => void): void {
    for (const { store, text } of [this.#peer, this.#ours])
      act(store, (placeholders) => text.fill(placeholders));
  }

  /**
   * Runs the steps one after the other, each by both programs at once.
   *
   * @returns one readable text per difference; empty when both said the same
   */
  async run(script: readonly Step[]): Promise<string[]> {
    const differences: string[] = [];
    for (const [number, step] of script.entries()) {
      const lines = await this.#runStep(step);
      if (lines.length > 0)
        differences.push([`step ${number + 1}: ${step[0].join(' ')}`, ...lines].join('\n'));
    }
    return differences;
  }

  /** Compares the stores as they lie on disk; also reports temporary files that ours left behind. */
  compare(): string[] {
    const [peer, ours] = [this.#peer, this.#ours].map((twin) => generalSnapshot(twin, this.#startMs));
    return [
      ...compareStores(peer as StoreSnapshot, ours as StoreSnapshot),
      ...findDebris(this.#ours.store).map((path) => `left behind by ours: ${path}`),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.stores) store.dispose();
  }

  async #runStep([args, options = {}]: Step): Promise<string[]> {
    const { contract = {}, peerArgs = args, oursAlone } = options;
    const [theirs, own] = await Promise.all([
      oursAlone ? undefined : outcomeOf(this.#peer, peerArgs, options),
      outcomeOf(this.#ours, args, options),
    ]);
    return (['stdout', 'stderr', 'exitCode'] as const).flatMap((part) => {
      const claimed = contract[part];
      if (claimed === undefined)
        return theirs === undefined || theirs[part] === own[part] ? [] : tell(part, theirs, own);
      if (theirs?.[part] === claimed) return [`  ${part}: the peer says what the contract claims to be new`];
      return claimed === own[part] ? [] : tell(part, contract, own, 'contract');
    });
  }
}

async function outcomeOf(
  { store, text, run }: Twin,
  args: readonly string[],
  options: StepOptions,
): Promise<Outcome> {
  const { stdin, show, unordered, ownWords, asIs, env = {}, cwd, umask } = options;
  const filled = args.map((argument) => text.fill(argument));
  const filledEnv = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value && text.fill(value)]),
  );
  const result = await run(asIs ? filled : withRoots(store, filled), {
    input: stdin,
    umask,
    env: filledEnv,
    ...(cwd === undefined ? {} : { cwd: text.fill(cwd) }),
  });
  const general = (said: string): string => {
    const lines = text.generalise(said);
    return unordered ? lines.split('\n').sort().join('\n') : lines;
  };
  return {
    stdout: general((show ?? showBytes)(result.stdoutBytes)),
    stderr: ownWords && result.stderr !== '' ? 'some words' : general(result.stderr),
    exitCode: result.exitCode,
  };
}

function showBytes(bytes: Buffer): string {
  if (!bytes.includes(0)) return bytes.toString();
  return `${bytes.length} bytes with sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function tell(
  part: keyof Outcome,
  theirs: Partial<Outcome>,
  own: Outcome,
  judge: 'peer' | 'contract' = 'peer',
): string[] {
  const [a, b] = [String(theirs[part]).split('\n'), String(own[part]).split('\n')];
  if (Math.max(a.length, b.length) <= 4) {
    return [
      `  ${part}`,
      `    ${judge}: ${JSON.stringify(theirs[part])}`,
      `    ours: ${JSON.stringify(own[part])}`,
    ];
  }
  const only = (who: string, lines: string[], others: string[]): string[] =>
    lines.filter((line) => !others.includes(line)).map((line) => `    only ${who}: ${JSON.stringify(line)}`);
  const lines = [...only(judge, a, b), ...only('ours', b, a)];
  return [`  ${part}`, ...(lines.length > 0 ? lines : ['    the same lines in another order'])];
}

/**
 * A snapshot in which generated ids and times are placeholders, wherever they stand; so is the time of
 * whatever was changed since `startMs`. Left out is what depends on how often a layer was mounted: the
 * kernel's notes in its tree, and `merged`, which the peer takes away after an unmount and newer versions keep.
 */
function generalSnapshot({ store, text }: Twin, startMs: number): StoreSnapshot {
  const { records, bigData, skeleton, layers } = snapshotStore(store);
  const rename = <T>(map: Map<string, T>, value: (each: T) => T = (each) => each): Map<string, T> =>
    new Map([...map].map(([key, each]) => [text.generalise(key), value(each)]));
  return {
    records: JSON.parse(text.generalise(JSON.stringify(records))),
    bigData: rename(bigData),
    skeleton: rename(skeleton),
    layers: rename(layers, ({ tarSplit, tree, beside }) => ({
      tarSplit,
      tree: new Map([...tree].map(([path, entry]) => [path, generalEntry(entry, startMs)])),
      beside: rename(new Map([...beside].filter(([name]) => name !== 'merged')), (said) =>
        text.generalise(said),
      ),
    })),
  };
}

function generalEntry(entry: TreeEntry, startMs: number): TreeEntry {
  const isOld = BigInt(entry.mtimeNs) < BigInt(startMs) * 1_000_000n;
  return { ...entry, mtimeNs: isOld ? entry.mtimeNs : 'of the test', xattrs: ownXattrs(entry) };
}

/** The extended attributes without those by which an overlay mount remembers where a file came from. */
export function ownXattrs({ xattrs }: TreeEntry): Record<string, string> {
  return Object.fromEntries(Object.entries(xattrs).filter(([name]) => !OF_A_MOUNT.test(name)));
}

const OF_A_MOUNT = /^trusted\.overlay\.(uuid|impure|origin)$/;
