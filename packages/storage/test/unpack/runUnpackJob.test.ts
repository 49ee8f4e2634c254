import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Digest, digestOf, type StorageError } from '@sediment/core';
import { afterAll, describe, expect, it } from 'vitest';
import { runUnpackJob } from '../../src/unpack/runUnpackJob.ts';
import type { BlobRange, UnpackJob } from '../../src/unpack/unpackJob.ts';
import { buildEntry, buildTar } from './tarBuilder.ts';
import { sketchTree } from './treeListing.ts';
import { NEEDS_ROOT, OVERLAY, testDirectory, VFS } from './unpackHelper.ts';

const temp = testDirectory('job');
afterAll(() => temp.remove());
let count = 0;

const TAR = buildTar([
  { name: './', uid: 9 },
  { name: 'd/', uid: 1, gid: 2 },
  { name: 'd/f', data: 'hello\n', uid: 3, gid: 2 },
  { name: 'd/.wh.x', uid: 77, gid: 77 },
]);
const WHAT = 'layer 1 (test)';

type BlobJob = UnpackJob & { readonly blob: BlobRange };

interface Prepared {
  job: BlobJob;
  root: string;
  tarSplit: string;
}

/** A job that wants all of the bytes of a file that holds `blob`. */
function prepare(blob: Buffer, expectations: UnpackJob['expect'] = {}): Prepared {
  const directory = join(temp.path, String(count++));
  const root = join(directory, 'tree');
  mkdirSync(root, { recursive: true });
  const path = join(directory, 'blob');
  const tarSplit = join(directory, 'tar-split.gz');
  writeFileSync(path, blob);
  const tree = { root, policy: OVERLAY };
  const range = { path, offset: 0, length: blob.length };
  return {
    job: { what: WHAT, blob: range, expect: expectations, tree, tarSplit: { path: tarSplit } },
    root,
    tarSplit,
  };
}

async function failure(promise: Promise<unknown>): Promise<StorageError> {
  return await promise.then(
    () => {
      throw new Error('the job succeeded');
    },
    (error: unknown) => error as StorageError,
  );
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** The tar that a tar-split stands for, from its own segments and the files of a tree. */
function reassemble(tarSplit: string, root: string): Buffer {
  const lines = gunzipSync(readFileSync(tarSplit)).toString().trim().split('\n');
  return Buffer.concat(
    lines.map((line) => {
      const { type, payload, name, size } = JSON.parse(line) as Record<string, string | number>;
      if (type === 2) return Buffer.from(payload as string, 'base64');
      return size === undefined ? Buffer.alloc(0) : readFileSync(join(root, name as string));
    }),
  );
}

describe.skipIf(NEEDS_ROOT !== undefined)(`runUnpackJob (${NEEDS_ROOT ?? 'as root'})`, () => {
  it.each([
    ['plain', 'none', (tar: Buffer) => tar],
    ['gzip', 'gzip', (tar: Buffer) => gzipSync(tar)],
    [
      'gzip of two members',
      'gzip',
      (tar: Buffer) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
    ],
  ])('unpacks, hashes and records a %s layer', async (_, compression, compress) => {
    const blob = compress(TAR);
    const { job, root, tarSplit } = prepare(blob, {
      digest: digestOf(blob),
      size: blob.length,
      diffID: digestOf(TAR),
    });
    const result = await runUnpackJob(job);
    expect(result).toEqual({
      compressedDigest: digestOf(blob),
      compressedSize: blob.length,
      diffDigest: digestOf(TAR),
      diffSize: TAR.length,
      compression,
      uidSet: [1, 3, 9],
      gidSet: [0, 2],
      treeBytes: 6,
      warnings: [],
    });
    expect(sketchTree(root)).toEqual({ d: 'dir', 'd/f': 'file hello', 'd/x': 'whiteout' });
    expect(statSync(tarSplit).mode & 0o7777).toBe(0o600);
    expect(reassemble(tarSplit, root).equals(TAR)).toBe(true);
  });

  it('reads a range of a file', async () => {
    const blob = gzipSync(TAR);
    const { job, root } = prepare(Buffer.concat([Buffer.alloc(100, 1), blob, Buffer.alloc(100, 2)]));
    const range = { ...job.blob, offset: 100, length: blob.length };
    expect(await runUnpackJob({ ...job, blob: range })).toMatchObject({ compressedDigest: digestOf(blob) });
    expect(sketchTree(root)).toHaveProperty('d/f');
  });

  it('counts and records what follows the end blocks', async () => {
    const tar = Buffer.concat([TAR, Buffer.alloc(3000, 7)]);
    const { job, root, tarSplit } = prepare(tar);
    expect(await runUnpackJob(job)).toMatchObject({ diffDigest: digestOf(tar), diffSize: tar.length });
    expect(reassemble(tarSplit, root).equals(tar)).toBe(true);
  });

  it.each([
    ['nothing at all', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(1024)],
    ['one zero block', Buffer.alloc(512)],
    ['no end blocks', buildEntry({ name: 'f', data: 'x' })],
  ])('accepts a layer of %s', async (_, tar) => {
    const { job, root, tarSplit } = prepare(tar);
    const result = await runUnpackJob(job);
    expect(result).toMatchObject({ diffDigest: digestOf(tar), diffSize: tar.length, compression: 'none' });
    expect(reassemble(tarSplit, root).equals(tar)).toBe(true);
  });

  it('does tree and tar-split separately, too', async () => {
    const { job, root, tarSplit } = prepare(gzipSync(TAR));
    const { tree, tarSplit: wanted, ...rest } = job;
    const recorded = await runUnpackJob({ ...rest, ...(wanted === undefined ? {} : { tarSplit: wanted }) });
    expect(recorded).toMatchObject({ treeBytes: 0, uidSet: [1, 3, 9] });
    expect(sketchTree(root)).toEqual({});
    expect(existsSync(tarSplit)).toBe(true);
    const unpacked = await runUnpackJob({ ...rest, tree: { root: tree?.root ?? '', policy: VFS } });
    expect(unpacked).toEqual({ ...recorded, treeBytes: 6 });
    expect(sketchTree(root)).toEqual({ d: 'dir', 'd/f': 'file hello' });
  });

  it('verifies digests of other algorithms', async () => {
    const sha512 = `sha512:${createHash('sha512').update(TAR).digest('hex')}` as Digest;
    const result = await runUnpackJob(prepare(TAR, { digest: sha512, diffID: digestOf(TAR) }).job);
    expect(result).toMatchObject({ compressedDigest: sha512, diffDigest: digestOf(TAR) });
  });

  it('reports progress up to the size of the blob', async () => {
    const tar = buildTar([{ name: 'f', data: Buffer.alloc(2_500_000) }]);
    const seen: number[] = [];
    await runUnpackJob(prepare(tar).job, { onProgress: (bytesRead) => seen.push(bytesRead) });
    expect(seen).toEqual([1048576, 2097152, tar.length]);
  });
});

const OTHER = digestOf('something else');
const GZIP = gzipSync(TAR);
const DAMAGED = Buffer.from(GZIP).fill(0xff, 30, 60);

describe.skipIf(NEEDS_ROOT !== undefined)(`failures of runUnpackJob (${NEEDS_ROOT ?? 'as root'})`, () => {
  it.each<[title: string, blob: Buffer, expectations: UnpackJob['expect'], error: object]>([
    [
      'another digest',
      GZIP,
      { digest: OTHER },
      { code: 'DIGEST_MISMATCH', facts: { expected: OTHER, actual: digestOf(GZIP), object: WHAT } },
    ],
    [
      'another digest, plain',
      TAR,
      { digest: OTHER },
      { code: 'DIGEST_MISMATCH', facts: { actual: digestOf(TAR) } },
    ],
    [
      'another size',
      GZIP,
      { size: 5 },
      { code: 'SIZE_MISMATCH', facts: { expected: 5, actual: GZIP.length } },
    ],
    [
      'another DiffID',
      GZIP,
      { diffID: OTHER },
      { code: 'DIFF_ID_MISMATCH', facts: { expected: OTHER, actual: digestOf(TAR) } },
    ],
    ['damaged compression', DAMAGED, {}, { code: 'COMPRESSION_INVALID' }],
    [
      'damaged compression of known digest',
      DAMAGED,
      { digest: digestOf(GZIP) },
      { code: 'DIGEST_MISMATCH', cause: { code: 'COMPRESSION_INVALID' } },
    ],
    [
      'damaged compression of that very digest',
      DAMAGED,
      { digest: digestOf(DAMAGED) },
      { code: 'COMPRESSION_INVALID' },
    ],
    ['truncated compression', GZIP.subarray(0, 60), {}, { code: 'COMPRESSION_INVALID' }],
    [
      'bytes after the compression',
      Buffer.concat([GZIP, Buffer.from('x')]),
      {},
      { code: 'COMPRESSION_INVALID' },
    ],
    ['no tar', Buffer.alloc(2000, 'no tar'), {}, { code: 'TAR_INVALID' }],
    ['a truncated tar', TAR.subarray(0, 1500), {}, { code: 'TAR_TRUNCATED' }],
    [
      'a path that occurs twice',
      buildTar([{ name: 'd/' }, { name: './d/', mode: 0o700 }]),
      {},
      { code: 'TAR_DUPLICATE_PATH' },
    ],
    [
      'an entry that cannot be unpacked',
      buildTar([{ name: 'f' }, { name: 'f/g' }]),
      {},
      { code: 'UNPACK_FAILED' },
    ],
    [
      'an unsupported entry of another digest',
      buildTar([{ name: 'f', flag: '7' }]),
      { digest: OTHER },
      { code: 'DIGEST_MISMATCH' },
    ],
  ])('%s', async (_, blob, expectations, wanted) => {
    const { job, tarSplit } = prepare(blob, expectations);
    const before = openDescriptors();
    const error = await failure(runUnpackJob(job));
    expect(error).toMatchObject(wanted);
    expect(error.message).toContain(WHAT);
    expect(error.hint).toEqual(expect.any(String));
    expect(openDescriptors()).toBe(before);
    expect(existsSync(tarSplit)).toBe(false);
  });

  it('a file that ends before the range', async () => {
    const { job } = prepare(TAR);
    const blob = { ...job.blob, offset: 512, length: TAR.length };
    const error = await failure(runUnpackJob({ ...job, blob }));
    expect(error).toMatchObject({
      code: 'ARCHIVE_INVALID',
      facts: { path: blob.path, expected: TAR.length, actual: TAR.length - 512, offset: TAR.length },
    });
  });

  it('a file, a directory or a tar-split path that cannot be used', async () => {
    const { job, tarSplit } = prepare(TAR);
    const blob = { ...job.blob, path: join(temp.path, 'missing') };
    expect(await failure(runUnpackJob({ ...job, blob }))).toMatchObject({
      code: 'BLOB_MISSING',
      facts: { path: blob.path },
    });
    const tree = { root: join(temp.path, 'missing'), policy: OVERLAY };
    expect(await failure(runUnpackJob({ ...job, tree }))).toMatchObject({
      code: 'IO',
      facts: { path: tree.root },
    });
    writeFileSync(tarSplit, 'of somebody else');
    const before = openDescriptors();
    expect(await failure(runUnpackJob(job))).toMatchObject({ code: 'IO', facts: { errnoCode: 'EEXIST' } });
    expect(readFileSync(tarSplit, 'utf8')).toBe('of somebody else');
    expect(openDescriptors()).toBe(before);
  });

  it('an abort between entries', async () => {
    const { job, root, tarSplit } = prepare(
      buildTar(Array.from({ length: 100 }, (_, i) => ({ name: `f${i}` }))),
    );
    let asked = 0;
    const error = await failure(runUnpackJob(job, { isAborted: () => ++asked > 50 }));
    expect(error).toMatchObject({ code: 'ABORTED', message: `${WHAT}: unpacking was aborted` });
    expect(readdirSync(root).length).toBeLessThan(60);
    expect(existsSync(tarSplit)).toBe(false);
  });
});
