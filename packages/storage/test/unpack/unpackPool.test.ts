import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { digestOf, StorageError } from '@sediment/core';
import { buildSync } from 'esbuild';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { BlobRange, UnpackJob } from '../../src/unpack/unpackJob.ts';
import { UnpackPool, type UnpackPoolOptions } from '../../src/unpack/unpackPool.ts';
import { unpackWorkerUrl } from '../../src/unpack/workerUrl.ts';
import { buildTar, type EntrySpec } from './tarBuilder.ts';
import { listTree } from './treeListing.ts';
import { NEEDS_ROOT, OVERLAY, testDirectory } from './unpackHelper.ts';

const temp = testDirectory('pool');
const pools: UnpackPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(() => temp.remove());
let count = 0;

const CRASHING = new URL('fixtures/crashing.mjs', import.meta.url);

function newPool(options?: UnpackPoolOptions): UnpackPool {
  const pool = new UnpackPool(options);
  pools.push(pool);
  return pool;
}

function prepare(
  entries: readonly EntrySpec[],
  what = 'layer 1',
): UnpackJob & { root: string; blob: BlobRange } {
  const directory = join(temp.path, String(count++));
  const root = join(directory, 'tree');
  mkdirSync(root, { recursive: true });
  const path = join(directory, 'blob');
  const blob = gzipSync(buildTar(entries), { level: 1 });
  writeFileSync(path, blob);
  return {
    what,
    root,
    blob: { path, offset: 0, length: blob.length },
    expect: { digest: digestOf(blob) },
    tree: { root, policy: OVERLAY },
    tarSplit: { path: join(directory, 'tar-split.gz') },
  };
}

const SMALL: EntrySpec[] = [{ name: 'd/' }, { name: 'd/f', data: 'x' }];

function manyFiles(number: number): EntrySpec[] {
  return Array.from({ length: number }, (_, i) => ({ name: `f${i}`, data: `content ${i}` }));
}

async function failure(promise: Promise<unknown>): Promise<StorageError> {
  return await promise.then(
    () => {
      throw new Error('the job succeeded');
    },
    (error: unknown) => error as StorageError,
  );
}

describe.skipIf(NEEDS_ROOT !== undefined)(`UnpackPool (${NEEDS_ROOT ?? 'as root'})`, () => {
  it.each([1, 1000, 1 << 20])(
    'unpacks a stream of chunks of %i bytes, with the owners of a mapping',
    async (size) => {
      const { blob, ...job } = prepare([
        { name: 'd/', uid: 3, gid: 4 },
        { name: 'd/f', data: 'x', uid: 0, gid: 9 },
        { name: 'p/q' },
      ]);
      const map = [{ containerId: 0, hostId: 5000, size: 10 }];
      const bytes = readFileSync(blob.path);
      async function* input() {
        const chunk = Buffer.alloc(size);
        // The same memory for every chunk, as sources may do.
        for (let start = 0; start < bytes.length; start += size) {
          yield chunk.subarray(0, bytes.copy(chunk, 0, start, start + size));
          chunk.fill(0);
        }
      }
      const tree = { root: job.root, policy: OVERLAY, uidMap: map, gidMap: map };
      const result = await newPool().run({ ...job, tree }, { input });
      expect(result).toMatchObject({
        compressedDigest: digestOf(bytes),
        compressedSize: bytes.length,
        uidSet: [0, 3],
      });
      const owners = ['d', 'd/f', 'p'].map((name) => {
        const { uid, gid } = lstatSync(join(job.root, name));
        return `${uid}:${gid}`;
      });
      expect(owners).toEqual(['5003:5004', '5000:5009', '5000:5000']);
    },
  );

  it('opens a stream when its turn comes, and reads it in the context of whoever asked', async () => {
    const pool = newPool({ size: 1 });
    const context = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    const run = (name: string) => {
      const { blob, ...job } = prepare(SMALL, name);
      const input = async function* () {
        seen.push(`${name} opened in ${context.getStore()}`);
        yield readFileSync(blob.path);
        seen.push(`${name} read in ${context.getStore()}`);
      };
      return context.run(name, () => pool.run(job, { input }));
    };
    await Promise.all(['a', 'b', 'c'].map(run));
    expect(seen).toEqual(
      ['a', 'b', 'c'].flatMap((name) => [`${name} opened in ${name}`, `${name} read in ${name}`]),
    );
  });

  it('refuses owners that a mapping does not have', async () => {
    const job = prepare([{ name: 'f', uid: 10 }]);
    const map = [{ containerId: 0, hostId: 5000, size: 10 }];
    const tree = { root: job.root, policy: OVERLAY, uidMap: map, gidMap: map };
    expect(await failure(newPool().run({ ...job, tree }))).toMatchObject({ code: 'ID_UNMAPPED' });
  });

  it('runs more jobs than it has threads', async () => {
    const pool = newPool({ size: 2 });
    const jobs = Array.from({ length: 7 }, (_, i) =>
      prepare([{ name: `f${i}`, data: String(i) }], `layer ${i}`),
    );
    const results = await Promise.all(jobs.map((job) => pool.run(job)));
    expect(results.map(({ compressedDigest }) => compressedDigest)).toEqual(
      jobs.map(({ expect }) => expect.digest),
    );
    jobs.forEach(({ root }, i) => {
      expect(Object.keys(listTree(root))).toEqual(['.', `f${i}`]);
    });
  });

  it('gives exact modes whatever the umask of the process, and leaves that alone', async () => {
    const previous = process.umask(0o077);
    try {
      const pool = newPool({ size: 1 });
      const job = prepare([{ name: 'd/', mode: 0o777 }, { name: 'd/f', mode: 0o666 }, { name: 'p/g' }]);
      await pool.run(job);
      expect(listTree(job.root)).toMatchObject({
        d: { mode: '0777' },
        'd/f': { mode: '0666' },
        p: { mode: '0755' },
        'p/g': { mode: '0644' },
      });
      const after = join(temp.path, `umask${count++}`);
      mkdirSync(after);
      expect(listTree(after)).toMatchObject({ '.': { mode: '0700' } });
      expect(process.umask()).toBe(0o077);
    } finally {
      process.umask(previous);
    }
  });

  it.for(['zstd', 'xz', 'bzip2'])(
    'unpacks layers that %s has compressed (if installed)',
    async (program, { skip }) => {
      const tar = buildTar(SMALL);
      const { stdout, error } = spawnSync(program, ['-c'], { input: tar });
      if (error !== undefined) skip(`${program} is not installed`);
      const job = prepare(SMALL);
      writeFileSync(job.blob.path, stdout);
      const result = await newPool().run({
        ...job,
        blob: { ...job.blob, length: stdout.length },
        expect: { digest: digestOf(stdout), diffID: digestOf(tar) },
      });
      expect(result).toMatchObject({ compression: program, diffSize: tar.length, treeBytes: 1 });
    },
  );

  it('reports progress, at least at the end', async () => {
    const job = prepare(SMALL);
    const seen: number[] = [];
    await newPool().run(job, { onProgress: (bytesRead) => seen.push(bytesRead) });
    expect(seen.at(-1)).toBe(job.blob.length);
  });

  it('fails with the error of the job, class, facts and cause included', async () => {
    const job = prepare([{ name: 'f' }, { name: 'f/g' }], 'layer 9');
    const error = await failure(newPool().run(job));
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({
      code: 'UNPACK_FAILED',
      message: expect.stringContaining('layer 9: cannot unpack "f/g"'),
      facts: { object: 'layer 9', errnoCode: 'ENOTDIR', path: `${job.root}/f/g` },
      cause: { name: 'PosixError' },
    });
    expect(existsSync(job.tarSplit?.path ?? '')).toBe(false);
  });

  it('goes on with other jobs after a failure', async () => {
    const pool = newPool({ size: 1 });
    const bad = failure(pool.run(prepare([{ name: 'f', flag: '7' }])));
    const good = pool.run(prepare(SMALL));
    expect(await bad).toMatchObject({ code: 'TAR_ENTRY_UNSUPPORTED' });
    expect(await good).toMatchObject({ treeBytes: 1 });
  });

  it('stops a running job soon after an abort', async () => {
    const pool = newPool({ size: 1 });
    const job = prepare(manyFiles(100_000));
    const stop = new AbortController();
    const promise = pool.run(job, { signal: stop.signal });
    while (readdirSync(job.root).length < 100) await new Promise((resolve) => setTimeout(resolve, 5));
    const abortedAt = performance.now();
    stop.abort('enough');
    const error = await failure(promise);
    // Far less than unpacking takes, and less than the time after which the thread would be terminated.
    expect(performance.now() - abortedAt).toBeLessThan(5000);
    expect(error).toMatchObject({ code: 'ABORTED', cause: 'enough' });
    const left = readdirSync(job.root).length;
    expect(left).toBeLessThan(100_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(job.root).length).toBe(left);
    expect(existsSync(job.tarSplit?.path ?? '')).toBe(false);
    expect(await pool.run(prepare(SMALL))).toMatchObject({ treeBytes: 1 });
  }, 30_000);

  it('does not start jobs that are aborted before', async () => {
    const pool = newPool({ size: 1 });
    const stop = new AbortController();
    const running = pool.run(prepare(manyFiles(1000)));
    const waiting = prepare(SMALL);
    const error = failure(pool.run(waiting, { signal: stop.signal }));
    stop.abort();
    expect(await error).toMatchObject({ code: 'ABORTED' });
    expect(await failure(pool.run(waiting, { signal: stop.signal }))).toMatchObject({ code: 'ABORTED' });
    await running;
    expect(readdirSync(waiting.root)).toEqual([]);
  });

  it('ends everything when it is closed', async () => {
    const pool = newPool({ size: 1 });
    const jobs = [prepare(manyFiles(50_000)), prepare(SMALL)];
    const errors = jobs.map((job) => failure(pool.run(job)));
    await pool.close();
    expect(await Promise.all(errors)).toMatchObject([{ code: 'ABORTED' }, { code: 'ABORTED' }]);
    expect(await failure(pool.run(prepare(SMALL)))).toMatchObject({ code: 'STORE_CLOSED' });
    await pool.close();
  });

  it('starts threads ahead of the first job', async () => {
    const pool = newPool({ size: 3 });
    pool.prepare();
    pool.prepare();
    expect(await pool.run(prepare(SMALL))).toMatchObject({ treeBytes: 1 });
    await pool.close();
    pool.prepare();
  });

  it('replaces threads that could not be started ahead', async () => {
    const pool = newPool({ size: 2, workerUrl: new URL('fixtures/none.mjs', import.meta.url) });
    pool.prepare();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await failure(pool.run(prepare(SMALL)))).toMatchObject({ code: 'UNPACK_FAILED' });
  });

  it('leaves no descriptor behind', async () => {
    const pool = newPool({ size: 1 });
    await pool.run(prepare(SMALL));
    await failure(pool.run(prepare([{ name: 'a/b/c' }, { name: 'f', flag: '7' }])));
    expect(descriptorsBelow(temp.path)).toEqual([]);
  });
});

describe('UnpackPool with workers that misbehave', () => {
  const options = { size: 1, workerUrl: CRASHING };

  it.each([
    ['throw', 'a defect'],
    ['exit', 'exit code 3'],
  ])('fails a job whose worker ends by %s, and replaces the worker', async (what, reason) => {
    const pool = newPool(options);
    const crash = failure(pool.run(prepare(SMALL, what)));
    const next = pool.run(prepare(SMALL, 'next'));
    expect(await crash).toMatchObject({ code: 'UNPACK_FAILED', message: expect.stringContaining(reason) });
    expect(await next).toEqual({ ran: 'next' });
  });

  it('fails a job whose worker cannot be started', async () => {
    const pool = newPool({ size: 1, workerUrl: new URL('fixtures/none.mjs', import.meta.url) });
    expect(await failure(pool.run(prepare(SMALL)))).toMatchObject({
      code: 'UNPACK_FAILED',
      hint: expect.any(String),
    });
  });

  it('terminates a worker that does not stop, and removes what that leaves', async () => {
    const pool = newPool({ ...options, stopGraceMs: 300 });
    const job = prepare(SMALL, 'hang');
    const stop = new AbortController();
    const error = failure(pool.run(job, { signal: stop.signal, onProgress: () => stop.abort() }));
    expect(await error).toMatchObject({ code: 'ABORTED' });
    expect(existsSync(job.tarSplit?.path ?? '')).toBe(false);
    expect(await pool.run(prepare(SMALL, 'next'))).toEqual({ ran: 'next' });
  });

  it('fails with the error of a progress handler', async () => {
    const pool = newPool(options);
    const onProgress = (): void => {
      throw new RangeError('of the caller');
    };
    expect(await failure(pool.run(prepare(SMALL, 'wait'), { onProgress }))).toBeInstanceOf(RangeError);
  });

  it('starts jobs of higher priority first, equal ones in order', async () => {
    const pool = newPool(options);
    const started: string[] = [];
    const run = (what: string, priority?: number) =>
      pool.run(prepare(SMALL, what), {
        onProgress: () => started.push(what),
        ...(priority === undefined ? {} : { priority }),
      });
    await Promise.all([run('first'), run('a'), run('b', 5), run('c'), run('d', 9), run('e', 5)]);
    expect(started).toEqual(['d', 'b', 'e', 'first', 'a', 'c']);
  });

  it('refuses a size that is none', () => {
    expect(() => new UnpackPool({ size: 0 })).toThrow(RangeError);
  });
});

describe.skipIf(NEEDS_ROOT !== undefined)(`a process with a pool (${NEEDS_ROOT ?? 'as root'})`, () => {
  it('can end with idle workers, and prints nothing', () => {
    const script = `
      import { UnpackThread } from ${JSON.stringify(bundled('unpackThread.ts'))};
      const thread = new UnpackThread(new URL(${JSON.stringify(unpackWorkerUrl.href)}));
      const { treeBytes } = await thread.run(${JSON.stringify(prepare(SMALL))});
      console.log('unpacked', treeBytes);
    `;
    const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect(result).toMatchObject({ status: 0, stdout: 'unpacked 1\n', stderr: '' });
  });

  it('can end while a worker is busy', () => {
    const job = prepare(manyFiles(50_000));
    const script = `
      import { readdirSync } from 'node:fs';
      import { UnpackThread } from ${JSON.stringify(bundled('unpackThread.ts'))};
      const thread = new UnpackThread(new URL(${JSON.stringify(unpackWorkerUrl.href)}));
      thread.run(${JSON.stringify(job)}).then(() => console.log('was not busy'));
      setInterval(() => readdirSync(${JSON.stringify(job.root)}).length > 10 && process.exit(7), 1);
    `;
    const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(result).toMatchObject({ status: 7, stdout: '', stderr: '' });
    expect(readdirSync(job.root).length).toBeLessThan(50_000);
  });
});

/** A module of the sources as plain Node can load it. */
function bundled(name: string): string {
  const outfile = join(temp.path, `${name}.mjs`);
  buildSync({
    entryPoints: [fileURLToPath(new URL(`../../src/unpack/${name}`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['sediment-source'],
    external: ['koffi'],
    logLevel: 'error',
  });
  return outfile;
}

function descriptorsBelow(path: string): string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(path));
}
