import { lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runDropin } from '../support/dropin.ts';
import { mountsBelow } from '../support/mounts.ts';
import { containersStorage, peersSkipReason, peerTitle, podman, withRoots } from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { imageNamed, readRecords, type StoredContainer } from '../support/records.ts';
import { type RunOptions, succeeded } from '../support/runProgram.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';
import { compareTrees, listTree, type Tree } from '../support/treeListing.ts';

const NAME = 'localhost/tiny:1';
/** The image has files of 1000 and 42, which the second map lacks. */
const MAPS = '0:100000:2000';
const NARROW = '0:200000:1:1:300000:99';

type Command = (store: StoreRoot, args: string[]) => Promise<string>;

const peer: Command = async (store, args) => (await containersStorage(store, args)).stdout;
const ours: Command = (store, args) => callOurs(store, args);
/** As ours on hosts without mounts with other ids. */
const withCopies: Command = (store, args) =>
  callOurs(store, args, { env: { _CONTAINERS_OVERLAY_DISABLE_IDMAP: 'yes' } });

async function callOurs(store: StoreRoot, args: string[], options: RunOptions = {}): Promise<string> {
  return succeeded(await runDropin(store, withRoots(store, args), options)).stdout;
}

async function load(store: StoreRoot): Promise<void> {
  await podman(store, ['load', '--input', writeTinyArchives(store).dockerArchive]);
}

async function createMapped(command: Command, store: StoreRoot, maps = MAPS): Promise<string> {
  const args = ['create-container', '--uidmap', maps, '--gidmap', maps, NAME];
  return (await command(store, args)).trim().split('\n')[0] as string;
}

/** What a mount shows, and then no mount. */
async function treeOf(command: Command, store: StoreRoot, id: string): Promise<Tree> {
  const root = (await command(store, ['mount', id])).trim();
  try {
    return listTree(root);
  } finally {
    await command(store, ['unmount', id]);
  }
}

function containerOf(store: StoreRoot, id: string): StoredContainer {
  const found = readRecords(store).containers.find((container) => container.id === id);
  if (found === undefined) throw new Error(`no record of container ${id}`);
  return found;
}

/** The record of a layer without what each one has for itself. */
function layerFacts(store: StoreRoot, id: string | undefined): Record<string, unknown> {
  const {
    id: _,
    created,
    parent,
    ...rest
  } = readRecords(store).layers.find((layer) => layer.id === id) ?? {};
  return { ...rest, created: typeof created, hasParent: parent !== undefined };
}

/**
 * Of the root, the time is that of the container. Its owner is right where we mounted last: 1.43 leaves it to
 * root of the host, or gives it back.
 */
const differences = (left: Tree, right: Tree) => compareTrees(left, right, (path) => path === '');

/** Where 1.43 gave a file its second name again, it left the directory with another time. */
const differencesOfCopies = (left: Tree, right: Tree) =>
  compareTrees(left, right, (path, field) => path === '' || (path === 'etc' && field === 'mtimeNs'));

function shiftedBy(tree: Tree, shift: (id: number) => number): Tree {
  return new Map(
    [...tree].map(([path, entry]) => [path, { ...entry, uid: shift(entry.uid), gid: shift(entry.gid) }]),
  );
}

const stores: StoreRoot[] = [];
function newStore(driver: DriverName): StoreRoot {
  const store = makeStoreRoot({ driver, on: 'ext4' });
  stores.push(store);
  return store;
}
beforeEach(() => {
  stores.length = 0;
});
afterEach(() => {
  for (const store of stores) store.dispose();
});

describe.skipIf(peersSkipReason)(peerTitle('containers with ids of their own (vfs)'), () => {
  it('get a copy of the image with the same owners and records as upstream makes', async () => {
    const [theirs, mine] = [newStore('vfs'), newStore('vfs')];
    for (const [command, store] of [
      [peer, theirs],
      [ours, mine],
    ] as const) {
      await load(store);
      await createMapped(command, store);
      await createMapped(command, store);
      await createMapped(command, store, NARROW);
    }
    const imageOf = (store: StoreRoot) => imageNamed(readRecords(store), NAME);
    const copiesOf = (store: StoreRoot) => imageOf(store)['mapped-layers'] as string[];
    expect(copiesOf(mine)).toHaveLength(2);
    expect(copiesOf(theirs)).toHaveLength(2);
    for (const [i, copy] of copiesOf(mine).entries()) {
      const other = copiesOf(theirs)[i] as string;
      expect(layerFacts(mine, copy)).toEqual(layerFacts(theirs, other));
      const tree = (store: StoreRoot, id: string) => listTree(join(store.graphRoot, 'vfs/dir', id));
      expect(differencesOfCopies(tree(mine, copy), tree(theirs, other))).toEqual([]);
      expect(tree(mine, copy).get('')).toMatchObject({ uid: i === 0 ? 100000 : 200000 });
      expect(readdirSync(join(mine.graphRoot, 'vfs-layers'))).toContain(`${copy}.tar-split.gz`);
    }
    const facts = (store: StoreRoot) =>
      readRecords(store).containers.map(({ id: _, layer, created: __, ...rest }) => ({
        ...rest,
        layer: layerFacts(store, layer),
      }));
    expect(facts(mine)).toEqual(facts(theirs));
  });

  it('can be mounted by both, whoever made them', async () => {
    const store = newStore('vfs');
    await load(store);
    const boxes = [await createMapped(peer, store), await createMapped(ours, store)];
    expect(imageNamed(readRecords(store), NAME)['mapped-layers']).toHaveLength(1);
    const trees = await Promise.all(boxes.map((box) => treeOf(ours, store, box)));
    const [first, second] = trees as [Tree, Tree];
    expect(first.get('etc/motd')).toMatchObject({ uid: 101000, gid: 101000 });
    expect(first.get('etc/setuid')?.mode).toBe(0o4755);
    expect(differencesOfCopies(first, second)).toEqual([]);
    expect(differences(second, await treeOf(peer, store, boxes[1] as string))).toEqual([]);
    // A container without maps stands on the original, and mounting the image shows it.
    const plain = (await ours(store, ['create-container', NAME])).trim();
    const unmapped = await treeOf(peer, store, plain);
    expect(
      differencesOfCopies(
        shiftedBy(unmapped, (id) => id + 100000),
        first,
      ),
    ).toEqual([]);
    const image = (await ours(store, ['mount', '-r', NAME])).trim();
    expect(differences(listTree(image), unmapped)).toEqual([]);
    await ours(store, ['unmount', NAME]);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('containers with ids of their own (overlay)'), () => {
  let store: StoreRoot;
  beforeEach(async () => {
    store = newStore('overlay');
    await load(store);
  });

  it('are mounted with other ids than they are stored with, the same by both', async () => {
    const boxes = [await createMapped(peer, store), await createMapped(ours, store)] as const;
    for (const box of boxes) {
      expect(containerOf(store, box)).toMatchObject({
        uidmap: [{ container_id: 0, host_id: 100000, size: 2000 }],
      });
      expect(layerFacts(store, containerOf(store, box).layer)).not.toHaveProperty('uidmap');
    }
    expect(imageNamed(readRecords(store), NAME)).not.toHaveProperty('mapped-layers');
    const mine = await treeOf(ours, store, boxes[1]);
    expect(mine.get('etc/motd')).toMatchObject({ uid: 101000, gid: 101000 });
    expect(mine.get('')).toMatchObject({ uid: 100000, gid: 100000 });
    expect(mountsBelow(store.graphRoot).filter(({ fstype }) => fstype === 'overlay')).toEqual([]);
    expect(differences(mine, await treeOf(peer, store, boxes[1]))).toEqual([]);
    // 1.43 leaves the root of a container to root of the host.
    const theirs = await treeOf(peer, store, boxes[0]);
    expect(theirs.get('')).toMatchObject({ uid: 0 });
    expect(differences(mine, theirs)).toEqual([]);
    const repaired = await treeOf(ours, store, boxes[0]);
    expect(repaired.get('')).toMatchObject({ uid: 100000, gid: 100000 });
  });

  it('that podman runs see their ids as in the image, whoever mounted before', async () => {
    const maps = ['--uidmap', MAPS, '--gidmap', MAPS];
    const print = ['/bin/stat', '-c', '%u:%g', '/', '/etc/motd', '/etc/old'];
    const expected = '0:0\n1000:1000\n0:42\n';
    expect((await podmanRun(store, ['--rm', ...maps, NAME, ...print])).stdout).toBe(expected);
    await podmanRun(store, ['--name', 'box', ...maps, NAME, '/bin/sh', '-c', 'echo changed > /etc/motd']);
    const tree = await treeOf(ours, store, 'box');
    expect(tree.get('etc/motd')).toMatchObject({ uid: 101000, gid: 101000, size: 8 });
    const root = (await ours(store, ['mount', 'box'])).trim();
    writeFileSync(join(root, 'etc/motd'), 'changed by us\n');
    await ours(store, ['unmount', 'box']);
    const again = await podman(store, ['cp', 'box:/etc/motd', '-'], { mayFail: true });
    expect(again.stdout).toContain('changed by us');
    await podman(store, ['rm', 'box']);
  });

  it('are made as copies where mounts cannot have other ids: upstream sees the same tree', async () => {
    const box = await createMapped(withCopies, store);
    const { layers, images } = readRecords(store);
    const [copy = ''] = (images[0]?.['mapped-layers'] ?? []) as string[];
    expect(layers.find(({ id }) => id === copy)).toMatchObject({
      uidmap: [{ container_id: 0, host_id: 100000, size: 2000 }],
    });
    expect(readdirSync(join(store.graphRoot, 'overlay', copy))).toContain('diff1');
    expect(lstatSync(join(store.graphRoot, 'overlay', copy, 'diff')).uid).toBe(100000);
    const tree = await treeOf(withCopies, store, box);
    const other = await createMapped(ours, store);
    const reference = await treeOf(ours, store, other);
    expect(differences(tree, reference)).toEqual([]);
    // The copy itself has no mapping to come: every program shows it as it is.
    const top = (await peer(store, ['mount', copy])).trim();
    const theirs = listTree(top);
    await peer(store, ['unmount', copy]);
    expect(differences(theirs, tree)).toEqual([]);

    for (const id of [box, other]) await peer(store, ['delete-container', id]);
    await peer(store, ['delete-image', NAME]);
    expect(readRecords(store).layers.map(({ id }) => id)).not.toContain(copy);
  });
});
