import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratchDirectory, removeScratchDirectory } from '../storeRoot.ts';

/** Before and after all suites: where they share the images that the first one makes. */
export function setup(): () => void {
  const place = makeScratchDirectory('images');
  process.env.SEDIMENT_TEST_IMAGES = place;
  return () => {
    const store = join(place, 'store');
    if (existsSync(store)) removeScratchDirectory(readFileSync(store, 'utf8'));
    removeScratchDirectory(place);
  };
}
