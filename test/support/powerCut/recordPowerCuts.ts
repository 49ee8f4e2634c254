import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeStepArchives } from '../durability/stepArchives.ts';
import { type StoreStep, stepCommand } from '../durability/storeSteps.ts';
import type { SyncPolicy } from '../durability/syncOrder.ts';
import type { RandomNumbers } from '../randomNumbers.ts';
import { mustRun } from '../runProgram.ts';
import {
  type DriverName,
  makeScratchDirectory,
  makeStoreRoot,
  removeScratchDirectory,
  type StoreRoot,
} from '../storeRoot.ts';
import { type DiskFileSystem, makeFileSystem, mountImage, unmountAll } from './fileSystems.ts';
import { type LoggedDisk, startLoggedDisk } from './loggedDisk.ts';
import { type VisibleState, visibleState } from './visibleState.ts';
import type { DiskEvent } from './writeLog.ts';

/** All that happened to the disk of a store while commands worked on it. */
export interface PowerCutRecording extends Disposable {
  readonly fileSystem: DiskFileSystem;
  readonly disk: LoggedDisk;
  readonly log: readonly DiskEvent[];
  readonly steps: readonly RecordedStep[];
  /** The store, whose graph root lies on a disk that is not mounted at present. */
  readonly store: StoreRoot;
  /** Where the disk is mounted. */
  readonly mountPoint: string;
}

export interface RecordedStep {
  readonly name: string;
  /** How many events came before the step, and before its end. */
  readonly from: number;
  readonly to: number;
  /** What the store showed after it. */
  readonly state: VisibleState;
}

export interface PowerCutOptions {
  readonly fileSystem: DiskFileSystem;
  readonly driver: DriverName;
  readonly policy: SyncPolicy;
  readonly steps: readonly StoreStep[];
  readonly random: RandomNumbers;
}

/** Lets commands work on a store on a disk that notes every write. */
export async function recordPowerCuts(options: PowerCutOptions): Promise<PowerCutRecording> {
  const directory = makeScratchDirectory('power');
  const mountPoint = join(directory, 'disk');
  mkdirSync(mountPoint);
  // Configuration and run root are in memory, where they are after a start of the machine, too.
  const store = { ...makeStoreRoot(options), graphRoot: join(mountPoint, 'graph') };
  const dispose = (): void => {
    unmountAll(mountPoint);
    removeScratchDirectory(directory);
    store.dispose();
  };
  try {
    const image = join(directory, 'disk.img');
    makeFileSystem(options.fileSystem, image);
    const disk = await startLoggedDisk(directory, image);
    mountImage(options.fileSystem, disk.file, mountPoint);
    const moments = await runSteps(store, disk, options);
    unmountAll(mountPoint);
    const log = await disk.end();
    const steps = moments.map((moment) => asRecorded(moment, log));
    const { fileSystem } = options;
    return { fileSystem, disk, log, steps, store, mountPoint, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** A step with positions in the log of the disk. */
interface Moment {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly state: VisibleState;
}

async function runSteps(
  store: StoreRoot,
  disk: LoggedDisk,
  { steps, policy, random }: PowerCutOptions,
): Promise<Moment[]> {
  const archives = writeStepArchives(join(store.path, 'archives'));
  const moments: Moment[] = [];
  for (const step of steps) {
    const start = disk.position();
    const args = stepCommand(store, step, archives, policy);
    const { env } = store;
    await whileOthersSync(dirname(store.graphRoot), random, () => mustRun(process.execPath, args, { env }));
    moments.push({ name: step.name, start, end: disk.position(), state: visibleState(store) });
  }
  return moments;
}

function asRecorded({ name, start, end, state }: Moment, log: readonly DiskEvent[]): RecordedStep {
  const before = (position: number) => log.filter((event) => event.end <= position).length;
  return { name, from: before(start), to: before(end), state };
}

/**
 * Runs something while another program syncs a file of its own at odd moments: it brings names and sizes to the
 * disk that nobody asked for, but not the data of other files.
 */
async function whileOthersSync(
  directory: string,
  random: RandomNumbers,
  run: () => Promise<unknown>,
): Promise<void> {
  const other = await open(join(directory, 'other'), 'w');
  let isRunning = true;
  const syncing = (async () => {
    while (isRunning) {
      await sleep(random(80));
      await other.write('x');
      await other.sync();
    }
  })();
  try {
    await run();
  } finally {
    isRunning = false;
    await syncing;
    await other.close();
  }
}
