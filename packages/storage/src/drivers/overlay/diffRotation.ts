import { lstatSync, renameSync } from 'node:fs';
import type { Owner } from '../../idmaps/idMappings.ts';
import { removeTree } from '../../staging/removeTree.ts';
import { makeDirectory } from '../exactModes.ts';
import type { LayerPaths } from './overlayHome.ts';

const WORK_MODE = 0o555;
const MODE_BITS = 0o7777;

/**
 * Puts what was written into a layer behind a new, empty `diff`: `diff` becomes `diff1`, `diff1` becomes
 * `diff2`, and so on. The kernel may remember the former upper directory in `work`, which is made anew.
 */
export function rotateDiffs(paths: LayerPaths, owner: Owner): void {
  const { mode } = lstatSync(paths.diff);
  const nameOf = (i: number) => (i === 0 ? paths.diff : `${paths.diff}${i}`);
  let free = 0;
  while (lstatSync(nameOf(free), { throwIfNoEntry: false }) !== undefined) free++;
  for (let i = free; i > 0; i--) renameSync(nameOf(i - 1), nameOf(i));
  removeTree(paths.work);
  makeDirectory(paths.work, { ...owner, mode: WORK_MODE });
  makeDirectory(paths.diff, { ...owner, mode: mode & MODE_BITS });
}
