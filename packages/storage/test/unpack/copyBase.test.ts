import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runUnpackJob } from '../../src/unpack/runUnpackJob.ts';
import type { UnpackJob } from '../../src/unpack/unpackJob.ts';
import { UnpackPool } from '../../src/unpack/unpackPool.ts';
import { buildTar } from './tarBuilder.ts';
import { NEEDS_ROOT, testDirectory, VFS } from './unpackHelper.ts';

const temp = testDirectory('base');
afterAll(() => temp.remove());
let count = 0;

const LAYER = [
  { name: 'new', data: 'new' },
  { name: '.wh.gone' },
  { name: 'dir/.wh..wh..opq' },
  { name: 'dir/own', data: 'own' },
];

function prepare(files: readonly string[]): UnpackJob & { root: string; base: string } {
  const directory = join(temp.path, String(count++));
  const [root, base] = [join(directory, 'tree'), join(directory, 'base')];
  mkdirSync(join(base, 'dir'), { recursive: true });
  mkdirSync(root);
  for (const name of files) writeFileSync(join(base, name), name);
  const blob = buildTar(LAYER);
  const path = join(directory, 'blob');
  writeFileSync(path, blob);
  return {
    what: 'layer 1',
    root,
    base,
    blob: { path, offset: 0, length: blob.length },
    expect: {},
    tree: { root, base, policy: VFS },
    tarSplit: { path: join(directory, 'tar-split') },
  };
}

describe.skipIf(NEEDS_ROOT)('A tree that begins as a copy', () => {
  const FILES = ['kept', 'gone', 'dir/hidden'];

  it.each([1, 2])('has what the layer leaves of it, in %i threads', async (threads) => {
    const { root, base, ...job } = prepare(FILES);
    const pool = new UnpackPool({ size: threads, splitMinBytes: 1 });
    try {
      const result = await pool.run(job);
      expect(result.treeBytes).toBe('newown'.length);
      expect(result.warnings).toEqual([]);
    } finally {
      await pool.close();
    }
    expect(readdirSync(root).sort()).toEqual(['dir', 'kept', 'new']);
    expect(readdirSync(join(root, 'dir'))).toEqual(['own']);
    expect(readFileSync(join(root, 'kept'), 'utf8')).toBe('kept');
    expect(lstatSync(join(root, 'kept')).ino).not.toBe(lstatSync(join(base, 'kept')).ino);
    expect(readdirSync(base).sort()).toEqual(['dir', 'gone', 'kept']);
  });

  it('can be aborted while it is being copied', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `file-${i}`);
    const { root, ...job } = prepare(names);
    const isAborted = () => readdirSync(root).length >= 10;
    await expect(runUnpackJob(job, { isAborted })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(readdirSync(root)).toHaveLength(10);
  });

  it('says what it was doing when the copy fails', async () => {
    const { root, base, ...job } = prepare(FILES);
    writeFileSync(join(root, 'kept'), 'in the way');
    await expect(runUnpackJob(job)).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(`layer 1: copying ${base} to ${root}: `),
      facts: expect.objectContaining({ path: root, errnoCode: 'EEXIST' }),
    });
    expect(readFileSync(join(root, 'kept'), 'utf8')).toBe('in the way');
  });
});
