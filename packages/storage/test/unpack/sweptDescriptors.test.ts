import { closeSync, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { UnpackJob } from '../../src/unpack/unpackJob.ts';
import { UnpackPool, type UnpackPoolOptions } from '../../src/unpack/unpackPool.ts';
import { buildTar } from './tarBuilder.ts';
import { NEEDS_ROOT, OVERLAY, testDirectory } from './unpackHelper.ts';

const temp = testDirectory('swept');
afterAll(() => temp.remove());
let count = 0;

const ONE_THREAD = { size: 1 };
const TWO_THREADS = { size: 2, splitMinBytes: 0 };

/** A job that fails in the end, in a tree of which this program has a file open, and one beside it. */
function prepare(what: string) {
  const directory = join(temp.path, String(count++));
  const root = join(directory, 'tree');
  mkdirSync(root, { recursive: true });
  const path = join(directory, 'blob');
  const tar = buildTar([{ name: 'f', data: 'x' }, { name: 'f/g' }]);
  writeFileSync(path, tar);
  const job: UnpackJob = {
    what,
    blob: { path, offset: 0, length: tar.length },
    expect: {},
    tree: { root, policy: OVERLAY },
    tarSplit: { path: join(directory, 'tar-split.gz') },
    keep: { path: join(directory, 'kept'), form: 'blob' },
  };
  const fds = [join(root, 'ours'), join(directory, 'beside')].map((name) => openSync(name, 'w'));
  return { job, fds };
}

/** Which of the files are open still, after the job has failed. */
async function openAfter(options: UnpackPoolOptions, what: string): Promise<boolean[]> {
  const pool = new UnpackPool(options);
  const { job, fds } = prepare(what);
  const inodes = fds.map((fd) => fstatSync(fd).ino);
  await expect(pool.run(job)).rejects.toMatchObject({ code: 'UNPACK_FAILED' });
  const isOpen = fds.map((fd, i) => {
    try {
      return fstatSync(fd).ino === inodes[i];
    } catch {
      return false;
    }
  });
  fds.filter((_, i) => isOpen[i]).map(closeSync);
  await pool.close();
  return isOpen;
}

describe('Descriptors of a tree', () => {
  it.skipIf(NEEDS_ROOT !== undefined).each([ONE_THREAD, TWO_THREADS])(
    'are left to those who opened them when a job fails ($size)',
    async (options) => {
      expect(await openAfter(options, 'layer 1')).toEqual([true, true]);
    },
  );

  it.each([
    ['crashing', ONE_THREAD, 'throw'],
    ['crashing', ONE_THREAD, 'exit'],
    ['crashingHalf', TWO_THREADS, 'crash in produce'],
    ['crashingHalf', TWO_THREADS, 'crash in consume'],
  ] as const)('are closed when a thread has died (%s, %o, %s)', async (worker, options, what) => {
    const workerUrl = new URL(`fixtures/${worker}.mjs`, import.meta.url);
    expect(await openAfter({ ...options, workerUrl }, what)).toEqual([false, true]);
  });
});
