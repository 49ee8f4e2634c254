import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Digest, digestOf, type StorageError } from '@sediment/core';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { mountSmall } from '../../../../test/support/smallFileSystems.ts';
import type { UnpackPolicy } from '../../src/drivers/unpackPolicy.ts';
import type { BlobRange, UnpackJob, UnpackResult } from '../../src/unpack/unpackJob.ts';
import { UnpackPool, type UnpackPoolOptions } from '../../src/unpack/unpackPool.ts';
import { EXTRACTOR_CASES } from './extractorCases.ts';
import { BASE, UPPER } from './richLayers.ts';
import { buildTar, type EntrySpec } from './tarBuilder.ts';
import { listTree } from './treeListing.ts';
import { NEEDS_ROOT, OVERLAY, testDirectory, VFS } from './unpackHelper.ts';

const temp = testDirectory('split');
const BEGIN_NS = BigInt(Date.now()) * 1_000_000n;
const pools: UnpackPool[] = [];
const inOneThread = new UnpackPool({ size: 1 });
const inTwoThreads = new UnpackPool({ size: 2, splitMinBytes: 0 });
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(async () => {
  await Promise.all([inOneThread.close(), inTwoThreads.close()]);
  temp.remove();
});
let count = 0;

const CRASHING = new URL('fixtures/crashingHalf.mjs', import.meta.url);

function newPool(options: UnpackPoolOptions = {}): UnpackPool {
  const pool = new UnpackPool({ size: 2, splitMinBytes: 0, ...options });
  pools.push(pool);
  return pool;
}

interface Layer {
  readonly blob: Buffer;
  readonly policy?: UnpackPolicy;
  readonly expect?: UnpackJob['expect'];
  readonly what?: string;
  readonly keep?: 'blob' | 'tar';
}

type PreparedJob = UnpackJob & {
  readonly root: string;
  readonly blob: BlobRange;
  readonly directory: string;
};

function prepare({ blob, policy = OVERLAY, expect = {}, what = 'layer 1', keep }: Layer): PreparedJob {
  const directory = join(temp.path, String(count++));
  const root = join(directory, 'tree');
  mkdirSync(root, { recursive: true });
  const path = join(temp.path, digestOf(blob).slice(7));
  if (!existsSync(path)) writeFileSync(path, blob);
  return {
    what,
    directory,
    root,
    blob: { path, offset: 0, length: blob.length },
    expect,
    tree: { root, policy },
    tarSplit: { path: join(directory, 'tar-split.gz') },
    ...(keep === undefined ? {} : { keep: { path: join(directory, 'kept'), form: keep } }),
  };
}

/** All that a job leaves or says, without what differs each time: where it is, and the times of "now". */
async function outcome(pool: UnpackPool, job: PreparedJob): Promise<unknown> {
  const said = await pool.run(job).then(
    (result: UnpackResult) => ({ result }),
    (error: StorageError) => ({
      error: JSON.stringify(error).replaceAll(/\/sediment-split-[^/]+\/\d+\//g, '/'),
      code: error.code,
    }),
  );
  if ('error' in said) return { ...said, left: readdirSync(job.directory) };
  const tarSplit = gunzipSync(readFileSync(join(job.directory, 'tar-split.gz'))).toString();
  const kept = job.keep === undefined ? undefined : digestOf(readFileSync(job.keep.path));
  const tree = Object.entries(listTree(job.root)).map(([name, entry]) => {
    const isNow = entry.mtimeNs !== undefined && entry.mtimeNs >= BEGIN_NS;
    return [name, { ...entry, ...(isNow ? { mtimeNs: 'now' } : {}) }];
  });
  return { ...said, tree, tarSplit, kept };
}

/** Runs the same layers, one onto the other, in one thread and in two. */
async function expectSame(layers: readonly Layer[], policy: UnpackPolicy): Promise<void> {
  const seen: unknown[][] = [];
  for (const pool of [inOneThread, inTwoThreads]) {
    const outcomes: unknown[] = [];
    let root: string | undefined;
    for (const layer of layers) {
      const job = prepare({ ...layer, policy });
      // A vfs tree starts as its parent's.
      const target = policy === VFS && root !== undefined ? { ...job, root, tree: { root, policy } } : job;
      outcomes.push(await outcome(pool, target));
      root = target.root;
    }
    seen.push(outcomes);
  }
  expect(seen[1]).toEqual(seen[0]);
}

function layer(entries: readonly EntrySpec[], tail?: Buffer): Layer {
  return { blob: gzipSync(buildTar(entries, tail), { level: 1 }) };
}

/** Files of all sizes in several directories: more than the shared memory holds, and more than there are batches. */
function wideLayer(): EntrySpec[] {
  const entries: EntrySpec[] = [{ name: 'pkg/', mode: 0o750, uid: 5 }];
  for (let i = 0; i < 3000; i++) {
    const directory = `pkg/d${i % 40}`;
    if (i < 40) entries.push({ name: `${directory}/`, mtime: 1000 + i });
    const size = i % 100 === 99 ? 300_000 : i % 7 === 0 ? 0 : (i * 37) % 9000;
    entries.push({
      name: `${directory}/f${i}`,
      data: Buffer.alloc(size, `content of ${i} `),
      mode: i % 11 === 0 ? 0o4755 : 0o640,
      uid: i % 3,
      gid: i % 5,
      mtime: 5000 + i,
      ...(i % 13 === 0 ? { pax: { mtime: '1600000000.000000123', 'SCHILY.xattr.user.x': 'y' } } : {}),
    });
    if (i % 50 === 0)
      entries.push({
        name: `${directory}/h${i}`,
        type: 'link',
        link: `${directory}/f${i}`,
        uid: 8,
        mtime: 77,
      });
    if (i % 60 === 0) entries.push({ name: `${directory}/s${i}`, type: 'symlink', link: `f${i}` });
    // A file over a file, by another path.
    if (i === 1000) entries.push({ name: 'pkg/alias', type: 'symlink', link: 'd0' });
    if (i > 1000 && i % 400 === 1)
      entries.push({ name: `pkg/alias/f${(i - 1) % 1000}`, data: `second ${i}` });
  }
  return entries;
}

const WIDE = layer(wideLayer());

describe.skipIf(NEEDS_ROOT !== undefined)(`one layer in two threads (${NEEDS_ROOT ?? 'as root'})`, () => {
  it('makes the same of odd and hostile layers', async () => {
    for (const { below, entries } of EXTRACTOR_CASES) {
      await expectSame([layer(entries)], OVERLAY);
      await expectSame([...(below === undefined ? [] : [layer(below)]), layer(entries)], VFS);
    }
  }, 60_000);

  it.each([OVERLAY, VFS])(
    'makes the same of two layers with everything in them ($whiteouts)',
    async (policy) => {
      await expectSame([layer(BASE), layer(UPPER)], policy);
    },
  );

  it.each([OVERLAY, VFS])('makes the same of thousands of files ($whiteouts)', async (policy) => {
    await expectSame([WIDE, { blob: gunzipSync(WIDE.blob) }], policy);
  });

  it('keeps the same copies', async () => {
    await expectSame([{ ...WIDE, keep: 'blob' }], OVERLAY);
    await expectSame([{ ...WIDE, keep: 'tar' }], OVERLAY);
    await expectSame([{ blob: gunzipSync(WIDE.blob), keep: 'blob' }], OVERLAY);
    await expectSame([{ blob: gunzipSync(WIDE.blob), keep: 'tar' }], OVERLAY);
  });

  it.each<[string, () => Layer]>([
    ['a blob of another digest', () => ({ ...WIDE, expect: { digest: digestOf(Buffer.from('another')) } })],
    ['a tar of another digest', () => ({ ...WIDE, expect: { diffID: digestOf(Buffer.from('another')) } })],
    ['a blob of another size', () => ({ ...WIDE, expect: { size: 5 } })],
    ['a blob that is cut off', () => ({ blob: WIDE.blob.subarray(0, WIDE.blob.length - 100) })],
    ['a blob that is cut off, with its digest', () => expecting(WIDE.blob.subarray(0, -100), WIDE.blob)],
    ['damaged compression', () => expecting(changed(WIDE.blob, 5000), WIDE.blob)],
    ['a changed byte behind the tar', () => expecting(Buffer.concat([WIDE.blob, Buffer.of(1)]), WIDE.blob)],
    ['a plain blob of another digest', () => expecting(gunzipSync(WIDE.blob), WIDE.blob)],
    ['a plain blob that is cut off', () => ({ blob: gunzipSync(WIDE.blob).subarray(0, 7_654_321) })],
    ['a plain blob of odd length', () => ({ blob: Buffer.concat([gunzipSync(WIDE.blob), Buffer.of(7)]) })],
    ['a bad header in a plain blob', () => expecting(gunzipSync(withBadHeader()), WIDE.blob)],
    ['a bad header', () => ({ blob: withBadHeader() })],
    ['a bad header in the wrong blob', () => expecting(withBadHeader(), WIDE.blob)],
    ['a tar without end', () => ({ blob: gzipSync(gunzipSync(WIDE.blob).subarray(0, 700)) })],
    ['an entry that cannot be made', () => layer([...wideLayer(), { name: 'pkg/d0/f0/x' }])],
    ['a path that occurs twice', () => layer([...wideLayer(), { name: 'pkg/d0/f0' }])],
  ])('says the same of %s, and leaves the same', async (_title, make) => {
    for (const keep of [undefined, 'blob'] as const) {
      await expectSame([{ ...make(), ...(keep === undefined ? {} : { keep }) }], OVERLAY);
    }
  });

  it('says the same of a file that is not there', async () => {
    const blob = gzipSync(buildTar([{ name: 'f' }]));
    const errors: unknown[] = [];
    for (const pool of [inOneThread, inTwoThreads]) {
      const job = prepare({ blob });
      const missing = { ...job, blob: { ...job.blob, path: '/nowhere/blob' } };
      errors.push(await outcome(pool, missing));
    }
    expect(errors[1]).toMatchObject({ code: 'BLOB_MISSING' });
    expect(errors[1]).toEqual(errors[0]);
  });

  it('reports progress, and leaves no descriptor', async () => {
    const pool = newPool();
    const progress: number[] = [];
    const job = prepare(WIDE);
    await pool.run(job, { onProgress: (read) => progress.push(read) });
    expect(progress.at(-1)).toBe(WIDE.blob.length);
    await expectDescriptors(pool);
  });

  it('stops both threads soon after an abort', async () => {
    const pool = newPool();
    const entries = Array.from({ length: 40_000 }, (_, i) => ({ name: `f${i}`, data: `content ${i}` }));
    const job = prepare(layer(entries));
    const stop = new AbortController();
    const promise = pool.run(job, { signal: stop.signal });
    while (readdirSync(job.root).length < 100) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort('enough');
    await expect(promise).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    const left = readdirSync(job.root).length;
    expect(left).toBeLessThan(40_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(job.root).length).toBe(left);
    expect(readdirSync(job.directory)).toEqual(['tree']);
    expect(await pool.run(prepare(layer([{ name: 'f', data: 'x' }])))).toMatchObject({ treeBytes: 1 });
    await expectDescriptors(pool);
  }, 30_000);

  it('says that the disk is full, whichever thread finds it out', async () => {
    // With its header each file fills an eighth of a slot, so that none lies in two, which only one thread could write.
    const entries = Array.from({ length: 600 }, (_, i) => ({ name: `f${i}`, data: Buffer.alloc(65_024, i) }));
    const messages: string[] = [];
    for (const pool of [inOneThread, inTwoThreads]) {
      const job = prepare(layer(entries));
      mountSmall(job.root, 'size=8m');
      try {
        const error = await pool.run(job).catch((failure: StorageError) => failure);
        expect(error).toMatchObject({ code: 'NO_SPACE' });
        const message = (error as StorageError).message.replaceAll(job.directory, '');
        // Which file it is depends on the kernel, too: each core counts some of what is free for itself.
        messages.push(message.replace(/"f\d+"/, '"f"'));
      } finally {
        execFileSync('umount', [job.root]);
      }
      expect(readdirSync(job.directory)).toEqual(['tree']);
    }
    expect(messages[1]).toBe(messages[0]);
  }, 60_000);

  it('can be closed meanwhile', async () => {
    const pool = newPool();
    const promise = pool.run(prepare(WIDE));
    const failure = expect(promise).rejects.toMatchObject({ code: 'ABORTED' });
    await pool.close();
    await failure;
  });
});

describe('one layer in two threads of which one fails', () => {
  const blob = gzipSync(buildTar(Array.from({ length: 3000 }, (_, i) => ({ name: `f${i}`, data: `${i}` }))));

  it.each(['produce', 'consume'])('fails when the half "%s" crashes', async (half) => {
    const pool = newPool({ workerUrl: CRASHING });
    const job = prepare({ blob, what: `crash in ${half}`, keep: 'blob' });
    await expect(pool.run(job)).rejects.toMatchObject({ code: 'UNPACK_FAILED' });
    expect(readdirSync(job.directory)).toEqual(['tree']);
    // The thread that is well goes on, the other one is replaced.
    expect(await pool.run(prepare({ blob }))).toMatchObject({ ran: expect.any(String) });
  });
});

function expecting(blob: Buffer, wanted: Buffer): Layer {
  const digest: Digest = digestOf(wanted);
  return { blob, expect: { digest } };
}

/** In the checksum of an entry in the middle. */
function withBadHeader(): Buffer {
  const tar = gunzipSync(WIDE.blob);
  return gzipSync(changed(tar, tar.indexOf('pkg/d5/f2005') + 150), { level: 1 });
}

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 0x55;
  return copy;
}

/** Nothing below the test's directory is open; threads keep a few of their own. */
async function expectDescriptors(pool: UnpackPool): Promise<void> {
  await pool.close();
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  expect(open.filter((path) => path.startsWith(temp.path))).toEqual([]);
}
