import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChainLayer, DedupHash, Store } from '../../src/index.ts';
import { layerOf, treeHash } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const MIB = 1024 * 1024;
const IMAGES = ['aa'.repeat(32), 'bb'.repeat(32)];

/** A file system in a file, or why there can be none. */
const SYSTEMS = [
  { name: 'xfs', make: ['mkfs.xfs', '-q', '-m', 'reflink=1'] },
  { name: 'btrfs', make: ['mkfs.btrfs', '-q'] },
].map((system) => ({ ...system, missing: whyNot(system) }));

function whyNot({ name, make }: { name: string; make: string[] }): string | undefined {
  if (noStore !== undefined) return noStore;
  const known = readFileSync('/proc/filesystems', 'utf8').split(/\s+/);
  if (!known.includes(name)) return `this kernel has no ${name}`;
  return spawnSync(make[0] as string, ['-V'], { env: ENV }).error === undefined
    ? undefined
    : `needs ${make[0]}`;
}

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env: ENV });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? stderr}`);
}

/** Two images that have files in common, and files of one size that differ. */
async function fill(store: Store, roots: TempRoots): Promise<void> {
  const same = 's'.repeat(3 * MIB + 123);
  const chains: ChainLayer[][] = [
    [
      layerOf(roots.directory, 'a', { same: same, other: 'a'.repeat(MIB) }),
      layerOf(roots.directory, 'b', { 'b/same': same }),
    ],
    [layerOf(roots.directory, 'c', { again: same, third: 'c'.repeat(MIB), empty: '' })],
  ];
  for (const [i, chain] of chains.entries()) {
    const layers = await store.layers.addChain(chain);
    await store.images.put({
      id: IMAGES[i] as string,
      names: [],
      layer: layers.at(-1)?.id as string,
      bigData: [],
    });
  }
  await store.layers.addChain([layerOf(roots.directory, 'unused', { unused: same })]);
}

describe.each(SYSTEMS)('dedup on $name ($missing)', ({ make, missing }) => {
  let roots: TempRoots;
  let image: string;

  beforeEach(() => {
    if (missing !== undefined) return;
    roots = new TempRoots();
    image = `${roots.directory}.img`;
    run('truncate', '--size=400M', image);
    run(make[0] as string, ...make.slice(1), image);
    mkdirSync(join(roots.directory, 'disk'));
    run('mount', '-o', 'loop', image, join(roots.directory, 'disk'));
  });
  afterEach(async () => {
    if (missing !== undefined) return;
    await roots.cleanup();
    rmSync(image, { force: true });
  });

  it.skipIf(missing !== undefined).each<DedupHash>(['crc', 'size', 'sha256'])('by %s', async (hash) => {
    const graphRoot = join(roots.directory, 'disk/graph');
    const store = await roots.open({ graphRoot });
    await fill(store, roots);
    run('sync');
    const used = () => {
      run('sync', '-f', graphRoot);
      const { blocks, bfree, bsize } = statfsSync(graphRoot);
      return (blocks - bfree) * bsize;
    };
    const before = { used: used(), content: treeHash(graphRoot) };
    const saved = 2 * (3 * MIB + 123);
    expect(await store.dedup({ hash })).toEqual({ bytes: saved });
    expect(treeHash(graphRoot)).toBe(before.content);
    expect(before.used - used()).toBeGreaterThan(5 * MIB);
    expect(await store.dedup({ hash })).toEqual({ bytes: saved });
    expect((await store.check({ maxUnreferencedLayerAge: 1e9 })).layers).toEqual([]);
    expect(roots.warnings).toEqual([]);
  });
});

describe.skipIf(noStore !== undefined)('dedup where there are no reflinks', () => {
  let roots: TempRoots;
  beforeEach(() => {
    roots = new TempRoots();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('says so, unless there is nothing to do', async () => {
    const store = await roots.open();
    expect(await store.dedup()).toEqual({ bytes: 0 });
    await fill(store, roots);
    await expect(store.dedup({ hash: 'size' })).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
      message: expect.stringContaining('no reflinks'),
    });
    await expect(store.dedup({ hash: 'md5' as DedupHash })).rejects.toThrow(RangeError);
  });
});
