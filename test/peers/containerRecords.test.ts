import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildah, containersStorage, peersSkipReason, peerTitle, podman } from '../support/peers.ts';
import { readRecords } from '../support/records.ts';
import { openLibrary, RecordTwins, type TwinStep } from '../support/recordTwins.ts';
import { type DriverName, makeStoreRoot } from '../support/storeRoot.ts';

const [LAYER, IMAGE, ONE, TWO, THREE] = ['a1', 'b1', 'c1', 'c2', 'c3'].map((digits) =>
  digits.padEnd(64, '0'),
) as [string, string, string, string, string];
const MAP = { containerId: 0, hostId: 2000, size: 100 };
const MAPS = ['--uidmap', '0:2000:100', '--gidmap', '0:2000:100'];

const create = (
  id: string,
  { name, image = '', more = [] }: { name: string; image?: string; more?: readonly string[] },
): TwinStep => ({
  go: ['create-container', '--id', id, '--name', name, ...more, image],
  ours: async (store) =>
    void (await store.containers.create({
      id,
      names: [name],
      image,
      volatile: more.includes('--volatile'),
      hostUidMap: more.includes('--hostuidmap'),
      hostGidMap: more.includes('--hostgidmap'),
      ...(more.includes('--uidmap') ? { uidMap: [MAP], gidMap: [MAP] } : {}),
      ...(more.includes('--metadata') ? { metadata: more[more.indexOf('--metadata') + 1] as string } : {}),
    })),
});
const setItem = (key: string, content: string): TwinStep => ({
  go: ['set-container-data', ONE, key],
  stdin: content,
  ours: (store) => store.containers.setBigData(ONE, key, Buffer.from(content)),
});

async function openTwins(driver: DriverName, layerMaps: readonly string[] = []): Promise<RecordTwins> {
  const twins = await RecordTwins.open(driver);
  const maps = layerMaps.length === 0 ? {} : { uidMap: [MAP], gidMap: [MAP] };
  await twins.run([
    {
      go: ['create-layer', '--id', LAYER, ...layerMaps],
      ours: async (store) => void (await store.layers.create({ id: LAYER, ...maps })),
    },
    {
      go: ['create-image', '--id', IMAGE, '--name', 'image', LAYER],
      ours: async (store) => void (await store.images.create({ id: IMAGE, names: ['image'], layer: LAYER })),
    },
  ]);
  return twins;
}

function expectSameRecords(twins: RecordTwins): void {
  for (const kind of ['containers', 'layers', 'images'] as const) {
    const { peer, ours } = twins.recordTexts(kind);
    expect(ours, kind).toBe(peer);
  }
}

describe.skipIf(peersSkipReason)(peerTitle('container records, as the Go program writes them'), () => {
  let twins: RecordTwins;
  beforeEach(async () => {
    twins = await openTwins('overlay');
    await twins.run([create(ONE, { name: 'one', image: 'image', more: ['--metadata', '{"a":"<&>"}'] })]);
  });
  afterEach(async () => await twins[Symbol.asyncDispose]());

  it('are the same after creating', async () => {
    await twins.run([
      create(TWO, { name: 'two' }),
      create(THREE, { name: 'three', image: IMAGE, more: ['--volatile'] }),
    ]);
    expectSameRecords(twins);
    expect(await twins.store.containers.get('three')).toMatchObject({ volatile: true, image: IMAGE });
  });

  it('refuse what is in use or missing', async () => {
    await twins.run([
      create(ONE, { name: 'other', image: 'image' }),
      create(TWO, { name: 'one', image: 'image' }),
      create(TWO, { name: 'two', image: 'nothing' }),
      create(LAYER, { name: 'an id of another kind is free', image: 'image' }),
    ]);
    expectSameRecords(twins);
  });

  it('know their items, with sizes and digests', async () => {
    const facts = (key: string): TwinStep[] => [
      {
        go: ['get-container-data-size', 'one', key],
        ours: async (store) => String(await store.containers.bigDataSize('one', key)),
      },
      {
        go: ['get-container-data-digest', 'one', key],
        ours: async (store) => await store.containers.bigDataDigest('one', key),
      },
      {
        go: ['get-container-data', 'one', key],
        ours: async (store) => String(await store.containers.bigData('one', key)),
      },
    ];
    await twins.run([
      setItem('foo-bar', 'one'),
      setItem('foo.bar', ''),
      setItem('foo-bar', 'three'),
      setItem('foo-bar', 'three'),
      setItem('', 'no name'),
      ...['foo-bar', 'foo.bar', 'none', ''].flatMap(facts),
      { go: ['list-container-data', 'c1'], ours: (store) => store.containers.bigDataNames('c1') },
      { go: ['list-container-data', 'x'], ours: (store) => store.containers.bigDataNames('x') },
    ]);
    expectSameRecords(twins);
    const { peer, ours } = twins.itemFiles('containers', ONE);
    expect(ours).toEqual(peer);
  });

  it('have directories, which count for the size', async () => {
    await twins.run([
      setItem('item', 'ten  bytes'),
      { go: ['get-container-dir', 'one'], ours: (store) => store.containers.directory('one') },
      { go: ['get-container-run-dir', 'c1'], ours: (store) => store.containers.runDirectory('c1') },
      { go: ['get-container-dir', 'x'], ours: (store) => store.containers.directory('x') },
    ]);
    const { own, store } = twins;
    await store.containers.setFile('one', 'deep/er/file', Buffer.from('12345'));
    await store.containers.setRunFile('one', 'pid', Buffer.from('1'));
    expect(String(await store.containers.file('one', 'deep/er/file'))).toBe('12345');
    const file = join(await store.containers.directory('one'), 'deep/er/file');
    expect(lstatSync(file).mode & 0o7777).toBe(0o600);
    await expect(store.containers.file('one', 'none')).rejects.toMatchObject({
      facts: { errnoCode: 'ENOENT' },
    });
    await expect(store.containers.setFile('one', '../out', Buffer.from(''))).rejects.toThrow(RangeError);
    const { stdout } = await containersStorage(own, ['container', 'one']);
    expect(stdout).toContain(`Size: ${await store.containers.size('one')}\n`);
  });

  it('go with their layers and directories', async () => {
    await twins.run([
      { go: ['get-container-dir', 'one'], ours: (store) => store.containers.directory('one') },
      { go: ['delete-container', 'one'], ours: (store) => store.containers.delete('one') },
      {
        go: ['delete-container', 'one'],
        ours: (store) => store.containers.delete('one'),
        reason: 'container not known',
      },
    ]);
    expectSameRecords(twins);
    expect(twins.itemFiles('containers', ONE)).toEqual({ peer: {}, ours: {} });
  });

  it('are read and removed by podman and buildah', async () => {
    const { own, store } = twins;
    await store.containers.create({
      image: 'image',
      names: ['ours'],
      bigData: [{ name: 'a', bytes: Buffer.from('b') }],
    });
    expect((await podman(own, ['ps', '--all', '--external', '--format', '{{.Names}}'])).stdout).toContain(
      'ours',
    );
    expect((await buildah(own, ['containers', '--all', '--format', '{{.ContainerName}}'])).stdout).toContain(
      'ours',
    );
    await podman(own, ['rm', 'ours']);
    expect((await store.containers.list()).map(({ names }) => names)).toEqual([['one']]);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('containers with id maps'), () => {
  it('stand on mapped copies of the top layer where mounts cannot shift owners', async () => {
    await using twins = await openTwins('vfs');
    await twins.run([
      create(ONE, { name: 'plain', image: 'image' }),
      create(TWO, { name: 'mapped', image: 'image', more: MAPS }),
      create(THREE, { name: 'again', image: 'image', more: MAPS }),
      create('d1'.padEnd(64, '0'), { name: 'host', image: 'image', more: ['--hostuidmap', '--hostgidmap'] }),
      create('d2'.padEnd(64, '0'), { name: 'empty', more: MAPS }),
    ]);
    expectSameRecords(twins);
    const { images } = readRecords(twins.own);
    expect(images[0]?.['mapped-layers']).toHaveLength(1);
    await twins.run([
      {
        go: ['layer-parent-owners', LAYER],
        ours: async (store) => void (await store.layers.parentOwners(LAYER)),
      },
      ...['plain', 'mapped', 'again', 'host', 'empty'].map(
        (name) =>
          ({
            go: ['delete-container', name],
            ours: (store) => store.containers.delete(name),
          }) satisfies TwinStep,
      ),
      { go: ['delete-image', 'image'], ours: async (store) => void (await store.images.delete('image')) },
    ]);
    expect(twins.recordTexts('layers')).toEqual({ peer: '[]', ours: '[]' });
  });

  it('of an image that is mapped itself start from a copy that is not', async () => {
    await using twins = await openTwins('vfs', MAPS);
    await twins.run([
      create(ONE, { name: 'plain', image: 'image' }),
      create(TWO, { name: 'mapped', image: 'image', more: MAPS }),
    ]);
    expectSameRecords(twins);
  });

  it('need no copy where mounts shift owners', async () => {
    await using twins = await openTwins('overlay');
    await twins.run([create(ONE, { name: 'mapped', image: 'image', more: MAPS })]);
    expectSameRecords(twins);
    expect((await twins.store.containers.get('mapped')).uidMap).toEqual([MAP]);
    expect((await twins.store.layers.list()).map(({ uidMap }) => uidMap)).toEqual([[], []]);
  });

  it('tell the Go program which directories above a mount they cannot express', async () => {
    await using root = makeStoreRoot({ driver: 'vfs' });
    await using store = await openLibrary(root);
    await store.layers.create({ id: LAYER });
    await store.images.create({ id: IMAGE, layer: LAYER });
    await store.containers.create({ id: ONE, image: IMAGE, uidMap: [MAP], gidMap: [MAP] });
    await expect(store.containers.parentOwners(ONE)).rejects.toMatchObject({ code: 'LAYER_NOT_MOUNTED' });
    await store.mount(ONE);
    const owners = await store.containers.parentOwners(ONE);
    const { stdout } = await containersStorage(root, ['container-parent-owners', '--json', ONE]);
    expect(JSON.parse(stdout)).toEqual({ ID: ONE, UIDs: owners.uids, GIDs: owners.gids });
    expect(owners.uids).toContain(0);
    await store.unmount(ONE);
    expect(readFileSync(join(root.graphRoot, 'vfs-containers/containers.json'), 'utf8')).toContain(ONE);
  });
});
