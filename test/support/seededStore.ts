import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveOf, type ImageDescription, imageIdOf, ociLayoutFiles } from './imageArchive.ts';
import { mustRun } from './runProgram.ts';
import { sediment } from './sediment.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from './storeRoot.ts';

/** The image in every copy of a seeded store. */
export const SEED_IMAGE: ImageDescription = {
  names: ['localhost/seed:1'],
  layers: [
    [
      { name: 'etc/', type: 'directory' },
      { name: 'etc/motd', content: 'the seed\n' },
      { name: 'etc/old', content: 'to be deleted\n' },
    ],
    [{ name: 'etc/.wh.old' }, { name: 'etc/new', content: 'new\n' }],
  ],
};
export const SEED_ID = imageIdOf(SEED_IMAGE);
/** The container of the seed image. */
export const SEED_CONTAINER = 'box';

/** A store with one image and one container, of which tests get copies. */
export interface SeededStore extends Disposable {
  readonly driver: DriverName;
  /** The archive of the seed image, and what a test puts beside it. */
  readonly path: string;
  /**
   * Hands out a copy that nobody else uses meanwhile. Unless `use` throws it is handed out again, so `use`
   * leaves it as it was.
   */
  lend<T>(use: (store: StoreRoot) => Promise<T>): Promise<T>;
  /** Copies the seed into a place of the caller's, such as one with a small file system mounted. */
  copyInto(place: StoreRoot): Promise<void>;
}

export async function makeSeededStore(driver: DriverName): Promise<SeededStore> {
  const seed = makeStoreRoot({ driver });
  const archive = join(seed.path, 'seed.tar');
  writeFileSync(archive, archiveOf(ociLayoutFiles([SEED_IMAGE])));
  await sediment(seed, ['import', archive]);
  await sediment(seed, ['create', '--name', SEED_CONTAINER, 'seed:1']);
  // the lock of the mount counts is made by whoever asks for them first
  await sediment(seed, ['mount']);
  const copies: StoreRoot[] = [];
  const idle: StoreRoot[] = [];
  // Node's cpSync would lose owners and attributes
  const copyInto = async (place: StoreRoot) => {
    await mustRun('cp', ['-a', `${seed.graphRoot}/.`, place.graphRoot]);
    await mustRun('cp', ['-a', `${seed.runRoot}/.`, place.runRoot]);
  };
  const newCopy = async () => {
    const store = makeStoreRoot({ driver });
    copies.push(store);
    await copyInto(store);
    return store;
  };
  return {
    driver,
    path: seed.path,
    copyInto,
    lend: async (use) => {
      const store = idle.pop() ?? (await newCopy());
      const result = await use(store);
      idle.push(store);
      return result;
    },
    [Symbol.dispose]: () => {
      for (const store of [seed, ...copies]) store.dispose();
    },
  };
}
