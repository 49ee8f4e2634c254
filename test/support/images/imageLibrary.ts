import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoCode } from '@sediment/core';
import { makeScratchDirectory, makeStoreRoot, type StoreRoot, storeRootAt } from '../storeRoot.ts';
import { writeOddImages } from './oddImages.ts';
import { saveImages } from './savedImages.ts';

const LONGEST_WAIT_S = 300;

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
  const root = join(place, 'images');
  if (isFirst(root)) {
    const store = makeStoreRoot();
    // whatever happens next, the store's place is known to who removes it
    writeFileSync(join(place, 'store'), store.path);
    await saveImages(store, root);
    writeOddImages(root);
    writeFileSync(finished, '');
  }
  await waitFor(finished);
  const store = storeRootAt(readFileSync(join(place, 'store'), 'utf8'));
  return { root, store, at: (name) => join(root, name) };
}

/** Suites run side by side: the one that makes the directory fills it, and the others wait for that. */
function isFirst(root: string): boolean {
  try {
    mkdirSync(root);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function waitFor(finished: string): Promise<void> {
  for (let waited = 0; !existsSync(finished); waited++) {
    if (waited === LONGEST_WAIT_S)
      throw new Error('no suite of this run made the images: the first one failed');
    await sleep(1000);
  }
}
