import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '../bundleProgram.ts';
import { type DiskEvent, readDiskEvents } from './writeLog.ts';

const PROGRAM = fileURLToPath(new URL('loggedDiskProgram.ts', import.meta.url));

/** A disk that remembers what was written to it and when it was asked to flush its cache. */
export interface LoggedDisk {
  /** The file to mount by a loop device. */
  readonly file: string;
  /** The content that the disk had at first. */
  readonly base: string;
  /** The log with the bytes of all writes. */
  readonly log: string;
  /** How much of the log is written: the present moment, for {@link DiskEvent.end}. */
  position(): number;
  /** Ends the disk, which must not be mounted any more, and tells what happened to it. */
  end(): Promise<DiskEvent[]>;
}

/** Makes a disk of an image file, in a directory of the caller's, who removes it when the disk has ended. */
export async function startLoggedDisk(directory: string, image: string): Promise<LoggedDisk> {
  const [base, log, place] = ['base.img', 'log', 'fuse'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  sparseCopy(image, base);
  mkdirSync(place);
  const program = await bundleProgram(PROGRAM);
  const child = spawn(process.execPath, [program.path, place, image, log], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').finally(() => program.remove());
  await Promise.race([once(child.stdout, 'data'), ended.then(failToStart)]);
  const file = join(place, 'disk');
  return {
    file,
    base,
    log,
    position: () => statSync(log).size,
    end: async () => {
      await unmountIdle(place);
      const [code, signal] = await ended;
      if (code !== 0) throw new Error(`the logged disk ended with ${signal ?? code}`);
      return readDiskEvents(log);
    },
  };
}

/** Holes stay holes, so that a copy of a disk takes the time of what was written to it. */
export function sparseCopy(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['--sparse=always', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cp ${from} ${to}: ${stderr}`);
}

function failToStart(): never {
  throw new Error('the logged disk did not start');
}

/** Programs of other tests that began in a mount namespace of their own keep the disk until they end. */
const PATIENCE_MS = 120_000;

/** A loop device lets go of its file some time after its file system was unmounted. */
async function unmountIdle(mountPoint: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { status, stderr } = spawnSync('umount', [mountPoint], { encoding: 'utf8' });
    if (status === 0) return;
    if (Date.now() > deadline) throw new Error(`umount ${mountPoint}: ${stderr}`);
    await sleep(20);
  }
}
