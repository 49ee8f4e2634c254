import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containersStorage, peersSkipReason, peerTitle } from '../support/peers.ts';
import { openLibrary, RecordTwins, type TwinStep } from '../support/recordTwins.ts';
import { makeStoreRoot } from '../support/storeRoot.ts';

const [LAYER, TOP, ONE, TWO] = ['a1', 'a2', 'b1', 'b2'].map((digits) => digits.padEnd(64, '0')) as [
  string,
  string,
  string,
  string,
];
const DIGEST = digestOf('a manifest');

const layer = (id: string, parent?: string): TwinStep => ({
  go: ['create-layer', '--id', id, ...(parent === undefined ? [] : [parent])],
  ours: async (store) => (await store.layers.create({ id, ...(parent === undefined ? {} : { parent }) })).id,
});
const setItem = (image: string, key: string, content: string): TwinStep => ({
  go: ['set-image-data', image, key],
  stdin: content,
  ours: (store) => store.images.setBigData(image, key, Buffer.from(content)),
});
const IMAGES: readonly TwinStep[] = [
  layer(LAYER),
  layer(TOP, LAYER),
  {
    go: ['create-image', '--id', ONE, '--name', 'one', '--name', 'uno', '--name', 'one', 'a2'],
    ours: async (store) => {
      const { id, names } = await store.images.create({ id: ONE, names: ['one', 'uno', 'one'], layer: 'a2' });
      return [id, ...names.map((name) => `\t${name}`)];
    },
  },
  {
    go: ['create-image', '--id', TWO, '--digest', DIGEST, '--metadata', '{"a":"<&>"}', TOP],
    ours: (store) => store.images.create({ id: TWO, digest: DIGEST, metadata: '{"a":"<&>"}', layer: TOP }),
  },
];

describe.skipIf(peersSkipReason)(peerTitle('image records, as the Go program writes them'), () => {
  let twins: RecordTwins;
  beforeEach(async () => {
    twins = await RecordTwins.open();
    await twins.run(IMAGES);
  });
  afterEach(async () => await twins[Symbol.asyncDispose]());

  const expectSame = () => {
    const { peer, ours } = twins.recordTexts('images');
    expect(ours).toBe(peer);
    for (const id of [ONE, TWO]) {
      const files = twins.itemFiles('images', id);
      expect(files.ours).toEqual(files.peer);
    }
  };

  it('are the same after creating', expectSame);

  it('refuse what is in use or missing', async () => {
    await twins.run([
      { go: ['create-image', '--id', ONE], ours: (store) => store.images.create({ id: ONE }) },
      { go: ['create-image', '--name', 'uno'], ours: (store) => store.images.create({ names: ['uno'] }) },
      { go: ['create-image', 'nothing'], ours: (store) => store.images.create({ layer: 'nothing' }) },
    ]);
    expectSame();
  });

  it('know their items, with sizes and digests', async () => {
    const size = (key: string): TwinStep => ({
      go: ['get-image-data-size', ONE, key],
      ours: async (store) => String(await store.images.bigDataSize(ONE, key)),
    });
    const digest = (key: string): TwinStep => ({
      go: ['get-image-data-digest', ONE, key],
      ours: async (store) => await store.images.bigDataDigest(ONE, key),
    });
    await twins.run([
      setItem(ONE, 'foo-bar', 'one'),
      setItem(ONE, 'Foo.bar', 'two'),
      setItem(ONE, 'foo.bar', ''),
      setItem(ONE, 'foo-bar', 'three'),
      setItem(ONE, 'constructor', 'a name that every object has'),
      setItem(ONE, 'manifest-x', 'a first manifest'),
      setItem(ONE, 'manifest', 'another manifest'),
      setItem(TWO, 'manifest', 'of an image with a digest'),
      setItem(TWO, 'manifest', 'of an image with a digest'),
      setItem('nothing', 'key', ''),
      setItem(ONE, '', 'no name'),
      ...['foo-bar', 'foo.bar', 'constructor', 'toString', ''].flatMap((key) => [size(key), digest(key)]),
      { go: ['list-image-data', 'uno'], ours: (store) => store.images.bigDataNames('uno') },
      {
        go: ['get-image-data', ONE, 'foo-bar'],
        ours: async (store) => (await store.images.bigData(ONE, 'foo-bar')).toString(),
      },
      { go: ['get-image-data', ONE, 'none'], ours: (store) => store.images.bigData(ONE, 'none') },
      { go: ['get-image-data', ONE, ''], ours: (store) => store.images.bigData(ONE, '') },
    ]);
    expectSame();
    expect((await twins.store.images.get(ONE)).digest).toBe(digestOf('a first manifest'));
  });

  it('give their names away and remember them', async () => {
    await twins.run([
      {
        go: ['add-names', '--name', 'two', '--name', 'one', TWO],
        ours: (store) => store.images.addNames(TWO, ['two', 'one']),
      },
      {
        go: ['set-names', '--name', 'dos', '--name', 'two', 'two'],
        ours: (store) => store.images.setNames('two', ['dos', 'two']),
      },
      {
        go: ['set-names', '--name', 'dos', '--name', 'eins', 'b1'],
        ours: (store) => store.images.setNames('b1', ['dos', 'eins']),
      },
      { go: ['get-names', ONE], ours: (store) => store.objects.names(ONE) },
      {
        go: ['add-names', '--name', 'x', 'nothing'],
        ours: (store) => store.objects.addNames('nothing', ['x']),
      },
      { go: ['set-names', TWO], ours: (store) => store.objects.setNames(TWO, []) },
      { go: ['get-names', TWO], ours: (store) => store.objects.names(TWO) },
    ]);
    expectSame();
  });

  it('are found by digest, and measured', async () => {
    await twins.run([
      setItem(ONE, 'manifest', 'a manifest'),
      {
        go: ['images-by-digest', '--quiet', DIGEST],
        ours: async (store) => (await store.images.byDigest(DIGEST)).map(({ id }) => id),
      },
      {
        go: ['images-by-digest', '--quiet', digestOf('none')],
        ours: async (store) => (await store.images.byDigest(digestOf('none'))).map(({ id }) => id),
      },
    ]);
    const { stdout } = await containersStorage(twins.peer, ['image', ONE]);
    expect(stdout).toContain(`Size: ${await twins.store.images.size(ONE)}\n`);
    expect((await twins.store.images.byTopLayer('a2')).map(({ id }) => id)).toEqual([ONE, TWO]);
  });

  it('go with the layers that nothing else needs', async () => {
    const remove = (id: string): TwinStep => ({
      go: ['delete-image', id],
      ours: async (store) => void (await store.images.delete(id)),
      reason: 'image not known',
    });
    const planned = async (id: string) => await twins.store.images.delete(id, { dryRun: true });
    expect(await planned(ONE)).toEqual([]);
    await twins.run([remove('uno'), remove('nothing')]);
    expectSame();
    expect(await planned(TWO)).toEqual([TOP, LAYER]);
    await twins.run([remove('b2')]);
    expectSame();
    expect(twins.recordTexts('layers')).toEqual({ peer: '[]', ours: '[]' });
  });

  it('can be gone through by the Go program, in the same store', async () => {
    const { own, store } = twins;
    await store.images.setBigData(ONE, 'manifest', Buffer.from('a manifest'));
    const directory = await store.images.directory('one');
    expect(directory).toBe(join(own.graphRoot, `overlay-images/${ONE}/userdata`));
    expect(await store.images.runDirectory(ONE)).toBe(join(own.runRoot, `overlay-images/${ONE}/userdata`));
    const { stdout } = await containersStorage(own, ['image', '--json', ONE]);
    expect(JSON.parse(stdout)).toMatchObject([
      { id: ONE, digest: DIGEST, names: ['one', 'uno'], layer: TOP },
    ]);
    await containersStorage(own, ['set-image-data', ONE, 'theirs'], { input: 'by the peer' });
    expect(String(await store.images.bigData(ONE, 'theirs'))).toBe('by the peer');
    await containersStorage(own, ['delete-image', ONE]);
    await store.images.delete(TWO);
    expect(await store.layers.list()).toEqual([]);
    expect(existsSync(directory)).toBe(false);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('images of an additional store'), () => {
  it('are read where they are, and copied to be named', async () => {
    await using lower = makeStoreRoot();
    await using root = makeStoreRoot();
    const go = (args: string[]) =>
      containersStorage(root, args, {
        env: { STORAGE_OPTS: '' },
        mayFail: true,
      });
    {
      await using below = await openLibrary(lower);
      await below.layers.create({ id: LAYER });
      await below.images.create({ id: ONE, names: ['one', 'uno'], layer: LAYER, metadata: 'meta' });
      await below.images.addNames(ONE, ['eins']);
      await below.images.setBigData(ONE, 'manifest', Buffer.from('a manifest'));
    }
    const options = [`overlay.imagestore=${lower.graphRoot}`];
    await using store = await openLibrary(root, options);
    expect(await store.images.get('uno')).toMatchObject({ id: ONE, readOnly: true, layer: LAYER });
    expect(String(await store.images.bigData('uno', 'manifest'))).toBe('a manifest');
    expect(await store.images.byDigest(DIGEST)).toHaveLength(1);
    await expect(store.images.setBigData('uno', 'x', Buffer.from(''))).rejects.toMatchObject({
      code: 'IMAGE_UNKNOWN',
    });
    await expect(store.images.delete('uno')).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN' });

    const directory = await store.images.directory('uno');
    await (await openLibrary(root, options)).close();
    expect(existsSync(directory)).toBe(true);

    expect(await store.objects.setNames('uno', ['mine', 'eins'])).toEqual(['mine', 'eins']);
    expect((await store.images.list()).map(({ id, readOnly }) => [id, readOnly])).toEqual([
      [ONE, false],
      [ONE, true],
    ]);
    expect(await store.images.get('mine')).toMatchObject({
      layer: LAYER,
      metadata: 'meta',
      digest: DIGEST,
      bigData: [{ name: 'manifest', size: 10, digest: DIGEST }],
    });
    await expect(store.images.get('uno')).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN' });
    const listed = await go(['images', '--storage-opt', options[0] as string, '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { names: ['mine', 'eins'] },
      { names: ['eins', 'one', 'uno'] },
    ]);
    // Now it is the record of the writable store that goes; the layer is not its own.
    expect(await store.images.delete('mine')).toEqual([]);
    expect((await store.images.create({ id: ONE, names: ['new'], layer: LAYER })).names).toEqual([
      'eins',
      'one',
      'uno',
      'new',
    ]);
    expect(await store.images.get('new')).toMatchObject({ metadata: 'meta', digest: DIGEST });
  });
});
