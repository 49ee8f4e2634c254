import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle } from '../support/peers.ts';
import { RecordTwins, type TwinStep } from '../support/recordTwins.ts';

const [BASE, TOP, IMAGE, BOX] = ['a1', 'a2', 'b1', 'c1'].map((digits) => digits.padEnd(64, '0')) as [
  string,
  string,
  string,
  string,
];

const SETUP: readonly TwinStep[] = [
  { go: ['create-layer', '--id', BASE], ours: (store) => store.layers.create({ id: BASE }) },
  {
    go: ['create-layer', '--id', TOP, '--name', 'same', BASE],
    ours: (store) => store.layers.create({ id: TOP, parent: BASE, names: ['same'] }),
  },
  {
    go: ['create-image', '--id', IMAGE, '--name', 'same', '--name', 'image', TOP],
    ours: (store) => store.images.create({ id: IMAGE, names: ['same', 'image'], layer: TOP }),
  },
  {
    go: ['create-container', '--id', BOX, '--name', 'same', '--name', 'box', '--metadata', 'text', IMAGE],
    ours: (store) =>
      store.containers.create({ id: BOX, names: ['same', 'box'], metadata: 'text', image: IMAGE }),
  },
];

const setNames = (object: string, ...names: string[]): TwinStep => ({
  go: ['set-names', ...names.flatMap((name) => ['--name', name]), object],
  ours: async (store) => void (await store.objects.setNames(object, names)),
});
const names = (object: string): TwinStep => ({
  go: ['get-names', object],
  ours: (store) => store.objects.names(object),
});
const setMetadata = (object: string, text: string): TwinStep => ({
  go: ['set-metadata', '--metadata', text, object],
  ours: (store) => store.objects.setMetadata(object, text),
});
const remove = (object: string): TwinStep => ({
  go: ['delete', object],
  ours: (store) => store.objects.delete(object),
});

describe.skipIf(peersSkipReason)(peerTitle('objects of any kind, as the Go program handles them'), () => {
  let twins: RecordTwins;
  beforeEach(async () => {
    twins = await RecordTwins.open();
    await twins.run(SETUP);
  });
  afterEach(async () => await twins[Symbol.asyncDispose]());

  const expectSame = () => {
    for (const kind of ['layers', 'images', 'containers'] as const) {
      const { peer, ours } = twins.recordTexts(kind);
      expect(ours, kind).toBe(peer);
    }
  };

  it('are looked for among layers, images and containers', async () => {
    await twins.run([
      names('same'),
      names('image'),
      names('box'),
      names(IMAGE.slice(0, 12)),
      names(BOX.slice(0, 12)),
      names('nothing'),
    ]);
    expectSame();
    const { objects } = twins.store;
    expect(await objects.find('same')).toEqual({ kind: 'layer', id: TOP });
    expect(await objects.find('image')).toEqual({ kind: 'image', id: IMAGE });
    expect(await objects.find(BOX.slice(0, 12))).toEqual({ kind: 'container', id: BOX });
    expect([await objects.find('a'), await objects.find('')]).toEqual([undefined, undefined]);
    expect([await objects.exists('box'), await objects.exists('nothing')]).toEqual([true, false]);
  });

  it('take names from others of their kind only', async () => {
    await twins.run([
      setNames(BASE, 'same', 'other', 'same'),
      setNames('image', 'other'),
      setNames('box', 'other'),
      setNames(BOX.slice(0, 12)),
      setNames('nothing', 'x'),
    ]);
    expectSame();
  });

  it('add names in front, and remove them', async () => {
    const { objects } = twins.store;
    expect(await objects.addNames('box', ['new', 'box'])).toEqual(['new', 'box', 'same']);
    expect(await objects.removeNames('box', ['same', 'nothing'])).toEqual(['new', 'box']);
    expect(await objects.addNames(BASE, ['same'])).toEqual(['same']);
    expect(await objects.names(TOP)).toEqual([]);
    await expect(objects.removeNames('nothing', [])).rejects.toMatchObject({ code: 'LAYER_UNKNOWN' });
  });

  it('have metadata', async () => {
    await twins.run([
      setMetadata('same', 'of the layer'),
      setMetadata('image', '{"a":"<&>"}'),
      setMetadata('box', 'other text'),
      setMetadata('nothing', 'x'),
      ...['same', 'image', 'box', BASE].map(
        (object): TwinStep => ({
          go: ['metadata', '--quiet', object],
          ours: (store) => store.objects.metadata(object),
        }),
      ),
    ]);
    expectSame();
    await expect(twins.store.objects.metadata('nothing')).rejects.toMatchObject({ code: 'NOT_AN_ID' });
  });

  it('are deleted without asking who needs them, containers first', async () => {
    await twins.run([remove('same')]);
    expectSame();
    expect(await twins.store.containers.list()).toEqual([]);
    await twins.run([remove('same')]);
    expectSame();
    expect(await twins.store.images.list()).toEqual([]);
    expect(await twins.store.layers.list()).toHaveLength(2);
    await twins.run([remove(BASE), remove('same'), remove('same')]);
    expectSame();
  });

  it('leave those that need them without them', async () => {
    await twins.run([remove(IMAGE), remove(TOP)]);
    expectSame();
    expect(await twins.store.containers.get('box')).toMatchObject({ image: IMAGE });
  });
});
