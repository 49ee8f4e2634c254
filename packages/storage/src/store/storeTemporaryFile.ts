import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import {
  openNameless,
  openTemporaryFile,
  TEMPORARY_PREFIX,
  type TemporaryFile,
} from '../staging/temporaryFile.ts';
import { makePrivateDirectory } from './makePrivateDirectory.ts';
import { listDirectory } from './removeTempFiles.ts';
import type { StoreContext } from './storeContext.ts';

const STALE_MS = 24 * 60 * 60 * 1000;

/**
 * A temporary file on the disk of the store. One without a name needs no directory of its own, which somebody would
 * have to take away again.
 */
export async function openStoreTemporaryFile({ paths, change }: StoreContext): Promise<TemporaryFile> {
  return await change(async () => {
    try {
      const nameless = await openNameless(paths.graphRoot);
      if (nameless !== undefined) return nameless;
      makePrivateDirectory(paths.spool);
      return await openTemporaryFile(paths.spool);
    } catch (error) {
      throw wrapSystemError(error, `making a temporary file in ${paths.graphRoot}`, 'IO', {
        path: paths.graphRoot,
      });
    }
  });
}

/**
 * Removes temporary files that a killed program left. There are some only where the system cannot make files without
 * a name. Nobody tells whose they are, but one that has not grown for a day is nobody's.
 *
 * @returns how many were removed
 */
export function recoverTemporaryFiles({ paths }: StoreContext): number {
  const stale = listDirectory(paths.spool)
    .filter((name) => name.startsWith(TEMPORARY_PREFIX))
    .map((name) => join(paths.spool, name))
    .filter(isStale);
  for (const path of stale) rmSync(path, { force: true });
  return stale.length;
}

function isStale(path: string): boolean {
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modified !== undefined && Date.now() - modified > STALE_MS;
}
