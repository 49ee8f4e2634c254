import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import { makePrivateDirectory } from './makePrivateDirectory.ts';
import { listDirectory } from './removeTempFiles.ts';
import type { StoreContext } from './storeContext.ts';

const NAME = /^sediment-spool-/;
const STALE_MS = 24 * 60 * 60 * 1000;

/** The directory for temporary copies, made if it is missing. */
export async function makeSpoolDirectory({ paths, change }: StoreContext): Promise<string> {
  return await change(async () => {
    try {
      makePrivateDirectory(paths.spool);
    } catch (error) {
      throw wrapSystemError(error, `making ${paths.spool}`, 'IO', { path: paths.spool });
    }
    return paths.spool;
  });
}

/**
 * Removes files that a killed program left in the directory for temporary copies. There are some only where the
 * system cannot make files without a name. Nobody tells whose they are, but a copy that has not grown for a day
 * is nobody's.
 *
 * @returns how many were removed
 */
export function recoverSpool({ paths }: StoreContext): number {
  const stale = listDirectory(paths.spool)
    .filter((name) => NAME.test(name))
    .map((name) => join(paths.spool, name))
    .filter(isStale);
  for (const path of stale) rmSync(path, { force: true });
  return stale.length;
}

function isStale(path: string): boolean {
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modified !== undefined && Date.now() - modified > STALE_MS;
}
