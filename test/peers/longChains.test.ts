import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { archiveOf, ociLayoutFiles } from '../support/imageArchive.ts';
import { mountsBelow } from '../support/mounts.ts';
import { containersStorage, peersSkipReason, peerTitle, skopeo, storeReference } from '../support/peers.ts';
import { readRecords } from '../support/records.ts';
import { sediment, trySediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot, type StoreRootOptions } from '../support/storeRoot.ts';
import type { TarItem } from '../support/tarWriter.ts';
import { compareTrees, listTree } from '../support/treeListing.ts';

const NAME = 'localhost/long:1';
/** A layer takes away what the one so far below brought. */
const LIFETIME = 40;

const stores: StoreRoot[] = [];
function newStore(options?: StoreRootOptions): StoreRoot {
  const store = makeStoreRoot(options);
  stores.push(store);
  return store;
}
afterEach(() => {
  for (const store of stores.splice(0)) store.dispose();
});

/** Each layer brings a file, changes one that all have, and now and then removes one or hides a directory. */
function layerItems(i: number): TarItem[] {
  return [
    { name: 'etc/', type: 'directory' },
    { name: `etc/file${i}`, content: `${i}`, uid: i },
    { name: 'shared', content: `layer ${i}` },
    ...(i >= LIFETIME && i % 3 === 0 ? [{ name: `etc/.wh.file${i - LIFETIME}` }] : []),
    { name: 'opaque/', type: 'directory' as const },
    ...(i % 50 === 49 ? [{ name: 'opaque/.wh..wh..opq' }] : []),
    { name: `opaque/file${i}`, content: '' },
  ];
}

function namesAfter(count: number): string[] {
  const removed = new Set<number>();
  for (let i = LIFETIME; i < count; i++) if (i % 3 === 0) removed.add(i - LIFETIME);
  return Array.from({ length: count }, (_, i) => i)
    .filter((i) => !removed.has(i))
    .map((i) => `file${i}`)
    .sort();
}

function writeArchive(store: StoreRoot, count: number): string {
  const path = join(store.path, 'long.tar');
  const layers = Array.from({ length: count }, (_, i) => layerItems(i));
  writeFileSync(path, archiveOf(ociLayoutFiles([{ names: [NAME], layers, compression: 'none' }])));
  return path;
}

async function createContainer(store: StoreRoot): Promise<string> {
  return (await sediment(store, ['create', NAME])).stdout.trim();
}

async function mount(store: StoreRoot, id: string): Promise<string> {
  return (await sediment(store, ['mount', id], { changesMounts: true })).stdout.trim();
}

describe.skipIf(peersSkipReason)(peerTitle('images of many layers'), () => {
  it('of as many layers as 1.43 takes look the same to both, whoever imported them', async () => {
    const store = newStore();
    await sediment(store, ['import', writeArchive(store, 128)]);
    const box = await createContainer(store);
    const ours = await mount(store, box);
    const tree = listTree(ours);
    await sediment(store, ['unmount', box], { changesMounts: true });
    const theirs = (await containersStorage(store, ['mount', box])).stdout.trim();
    expect(theirs).toBe(ours);
    expect(compareTrees(tree, listTree(theirs))).toEqual([]);
    // The mount of the one is used and counted by the other.
    await mount(store, box);
    await containersStorage(store, ['unmount', box]);
    expect(readdirSync(join(ours, 'etc'))).toEqual(namesAfter(128));
    await sediment(store, ['unmount', box], { changesMounts: true });
    expect(mountsBelow(ours)).toEqual([]);

    const other = newStore();
    const archive = writeArchive(other, 128);
    await skopeo(other, ['copy', '-q', `oci-archive:${archive}`, storeReference(other, NAME)]);
    const second = await createContainer(other);
    expect(compareTrees(tree, listTree(await mount(other, second)), (path) => path === '')).toEqual([]);
    await sediment(other, ['unmount', second], { changesMounts: true });
  });

  it('of 300 layers look like the complete trees that upstream makes', async () => {
    const store = newStore({ on: 'ext4' });
    const archive = writeArchive(store, 300);
    await sediment(store, ['import', archive]);
    const box = await createContainer(store);
    const tree = listTree(await mount(store, box));
    await sediment(store, ['unmount', box], { changesMounts: true });

    const reference = newStore({ driver: 'vfs', on: 'ext4' });
    await skopeo(reference, ['copy', '-q', `oci-archive:${archive}`, storeReference(reference, NAME)]);
    const { images } = readRecords(reference);
    const expected = listTree(join(reference.graphRoot, 'vfs/dir', images[0]?.layer ?? ''));
    expect(compareTrees(tree, expected, (path) => path === '')).toEqual([]);
  });

  it('may have 500 layers, and no more', async () => {
    const store = newStore({ on: 'ext4' });
    await sediment(store, ['import', writeArchive(store, 500)]);
    const box = await createContainer(store);
    const root = await mount(store, box);
    expect(readdirSync(join(root, 'etc'))).toEqual(namesAfter(500));
    expect(readFileSync(join(root, 'shared'), 'utf8')).toBe('layer 499');
    expect(readdirSync(join(root, 'opaque'))).toEqual(['file499']);
    writeFileSync(join(root, 'shared'), 'changed');
    await sediment(store, ['unmount', box], { changesMounts: true });
    expect(readFileSync(join(await mount(store, box), 'shared'), 'utf8')).toBe('changed');
    await sediment(store, ['unmount', box], { changesMounts: true });
    await sediment(store, ['rm', box]);
    await sediment(store, ['rmi', NAME]);

    await sediment(store, ['import', writeArchive(store, 501)]);
    const refused = await trySediment(store, ['mount', await createContainer(store)]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('max depth exceeded');
  });
});
