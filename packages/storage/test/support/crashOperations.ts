/** A program that does one of many operations on a store and is killed in the middle: `node file <place as JSON>`. */
import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '../../src/index.ts';

export interface CrashPlace {
  readonly operation: string;
  readonly driver: 'overlay' | 'vfs';
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly imageStore?: string;
  /** Has a file `layer.tar`. */
  readonly directory: string;
}

interface Operation {
  /** Brings an empty store into the state in which the operation begins. */
  prepare(store: Store, place: CrashPlace): Promise<void>;
  run(store: Store, place: CrashPlace): Promise<unknown>;
  /** Whether there is nothing left to do. */
  isDone(store: Store): Promise<boolean>;
  /** Copy content for a container with ids of its own. */
  readonly copies?: boolean;
}

const id = (digit: string) => digit.repeat(64);
const BASE = id('a');
const TOP = id('b');
const NEW = id('c');
const IMAGE = id('d');
const BOX = id('e');
const BOX_LAYER = id('f');
const MAP = [{ containerId: 0, hostId: 100_000, size: 65_536 }];
const IDS = { uidMap: MAP, gidMap: MAP };
const bigData = [
  { name: 'one', bytes: Buffer.from('1') },
  { name: 'two', bytes: Buffer.from('2') },
];

const tar = ({ directory }: CrashPlace) => createReadStream(join(directory, 'layer.tar'));
const hasLayer = (store: Store, ...ids: string[]) =>
  store.layers.list().then((all) => ids.every((wanted) => all.some((layer) => layer.id === wanted)));
const hasImage = (store: Store) => store.images.list().then((all) => all.some((image) => image.id === IMAGE));
const hasBox = (store: Store) => store.containers.list().then((all) => all.some((box) => box.id === BOX));
const not = (answer: Promise<boolean>) => answer.then((yes) => !yes);

async function base(store: Store, place: CrashPlace): Promise<void> {
  await store.layers.put({ id: BASE, readWrite: false, diff: tar(place) });
}
async function image(store: Store, place: CrashPlace): Promise<void> {
  await base(store, place);
  await store.images.create({ id: IMAGE, layer: BASE, names: ['localhost/image:1'], bigData });
}
async function box(store: Store, place: CrashPlace): Promise<void> {
  await image(store, place);
  await store.containers.create({ id: BOX, image: IMAGE, layer: BOX_LAYER, names: ['box'], bigData });
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'create a layer': {
    prepare: base,
    run: (store) => store.layers.create({ id: NEW, parent: BASE, names: ['new'], bigData }),
    isDone: (store) => hasLayer(store, NEW),
  },
  'put a layer': {
    prepare: base,
    run: (store, place) =>
      store.layers.put({ id: NEW, parent: BASE, names: ['new'], bigData, diff: tar(place) }),
    isDone: (store) => hasLayer(store, NEW),
  },
  'put a layer with other owners': {
    prepare: base,
    run: (store, place) => store.layers.put({ id: NEW, parent: BASE, ...IDS, diff: tar(place) }),
    isDone: (store) => hasLayer(store, NEW),
    copies: true,
  },
  'fill a layer': {
    prepare: async (store) => void (await store.layers.create({ id: NEW })),
    run: (store, place) => store.layers.applyDiff(NEW, tar(place)),
    isDone: async (store) => (await store.layers.get(NEW)).diffID !== undefined,
  },
  'set an item of a layer': {
    prepare: base,
    run: (store) => store.layers.setBigData(BASE, 'item', Buffer.from('x')),
    isDone: async (store) => (await store.layers.bigDataNames(BASE)).includes('item'),
  },
  'delete a layer': {
    prepare: async (store, place) => {
      await base(store, place);
      await store.layers.create({ id: TOP, parent: BASE, bigData });
    },
    run: (store) => store.layers.delete(TOP),
    isDone: (store) => not(hasLayer(store, TOP)),
  },
  'create an image': {
    prepare: base,
    run: (store) => store.images.create({ id: IMAGE, layer: BASE, names: ['localhost/image:1'], bigData }),
    isDone: hasImage,
  },
  'set an item of an image': {
    prepare: image,
    run: (store) => store.images.setBigData(IMAGE, 'three', Buffer.from('3')),
    isDone: async (store) => (await store.images.get(IMAGE)).bigData.length === 3,
  },
  'name an image': {
    prepare: image,
    run: (store) => store.objects.setNames(IMAGE, ['localhost/other:1', 'localhost/other:2']),
    isDone: async (store) => (await store.images.get(IMAGE)).names.length === 2,
  },
  'delete an image': {
    prepare: async (store, place) => {
      await image(store, place);
      const { id: copier } = await store.containers.create({ image: IMAGE, ...IDS });
      await store.containers.delete(copier);
    },
    run: (store) => store.images.delete(IMAGE),
    isDone: (store) => not(hasImage(store)),
    copies: true,
  },
  'create a container with ids': {
    prepare: image,
    run: (store) => store.containers.create({ id: BOX, image: IMAGE, names: ['box'], bigData, ...IDS }),
    isDone: hasBox,
    copies: true,
  },
  'create a volatile container': {
    prepare: image,
    run: (store) =>
      store.containers.create({ id: BOX, image: IMAGE, names: ['box'], bigData, volatile: true }),
    isDone: hasBox,
  },
  'delete anything': {
    prepare: box,
    run: (store) => store.objects.delete(BOX),
    isDone: (store) => not(hasBox(store)),
  },
  'mount with ids': {
    prepare: async (store, place) => {
      await image(store, place);
      await store.containers.create({ id: BOX, image: IMAGE, ...IDS });
    },
    run: (store) => store.mount(BOX),
    isDone: async (store) => (await store.mounted(BOX)) > 0,
  },
  unmount: {
    prepare: async (store, place) => {
      await box(store, place);
      await store.mount(BOX);
    },
    run: (store) => store.unmount(BOX),
    isDone: async (store) => (await store.mounted(BOX)) === 0,
  },
  'mount an image': {
    prepare: image,
    run: (store) => store.mountImage(IMAGE),
    isDone: async (store) => (await store.mounted(BASE)) > 0,
  },
  copy: {
    prepare: box,
    run: (store, { directory }) =>
      store.copy({
        sources: [{ path: join(directory, 'tree') }],
        destination: { layer: BOX_LAYER, path: '/copied' },
      }),
    isDone: async () => false,
  },
  wipe: { prepare: box, run: (store) => store.wipe(), isDone: (store) => not(hasLayer(store, BASE)) },
  'shut down': { prepare: box, run: (store) => store.shutdown(), isDone: async () => false },
  'collect garbage': {
    prepare: async (store, place) => {
      await box(store, place);
      await store.layers.createInDriver({ id: NEW, parent: BASE });
    },
    run: (store) => store.collectGarbage(),
    isDone: async (store) => !(await store.layers.driverLayers()).includes(NEW),
  },
  repair: {
    prepare: async (store, place) => {
      await box(store, place);
      rmSync(join(place.imageStore ?? place.graphRoot, `${place.driver}-images`, IMAGE, 'one'));
    },
    run: async (store) => store.repair(await store.check({ quick: true }), { removeContainers: true }),
    isDone: (store) => not(hasImage(store)),
  },
};

/** The store as the killed program, the one that prepares, and the one that looks afterwards open it. */
export async function openCrashStore({ operation, ...place }: CrashPlace): Promise<Store> {
  const { graphRoot, runRoot, driver, imageStore, directory } = place;
  const { copies = false } = OPERATIONS[operation] as Operation;
  // Read when the driver is asked what it can do.
  if (copies) process.env._CONTAINERS_OVERLAY_DISABLE_IDMAP = 'yes';
  else delete process.env._CONTAINERS_OVERLAY_DISABLE_IDMAP;
  return await openStore({
    graphRoot,
    runRoot,
    driver,
    ...(imageStore === undefined ? {} : { imageStore }),
    env: { HOME: directory },
    onWarning: () => undefined,
  });
}

export async function runOperation(place: CrashPlace): Promise<void> {
  await using store = await openCrashStore(place);
  await OPERATIONS[place.operation]?.run(store, place);
}

const [text] = process.argv.slice(2);
if (text?.startsWith('{"operation"') === true) await runOperation(JSON.parse(text) as CrashPlace);
