import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratchDirectory, makeStoreRoot, type StoreRoot, storeRootAt } from '../storeRoot.ts';
import { writeOddImages } from './oddImages.ts';
import { saveImages } from './savedImages.ts';

/** Images in every form, for all suites of one run. Tests read them and change nothing. */
export interface ImageLibrary {
  /** The directory that `savedImages.ts` and `oddImages.ts` describe. */
  readonly root: string;
  /** podman's store that holds the images that were saved. */
  readonly store: StoreRoot;
  /** The path of a file or directory in the library. */
  at(name: string): string;
}

/**
 * The library of this run, which the first suite that asks makes in a few seconds. Its place comes from
 * `imageLibraryPlace.ts`, which removes it after the run.
 */
export async function imageLibrary(): Promise<ImageLibrary> {
  const place = process.env.SEDIMENT_TEST_IMAGES ?? makeScratchDirectory('images');
  const finished = join(place, 'finished');
  if (!existsSync(finished)) {
    const store = makeStoreRoot();
    const root = join(place, 'images');
    mkdirSync(root);
    // whatever happens next, the store's place is known to who removes it
    writeFileSync(join(place, 'store'), store.path);
    await saveImages(store, root);
    writeOddImages(root);
    writeFileSync(finished, '');
  }
  const root = join(place, 'images');
  const store = storeRootAt(readFileSync(join(place, 'store'), 'utf8'));
  return { root, store, at: (name) => join(root, name) };
}
