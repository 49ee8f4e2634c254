import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode } from '@sediment/core';
import { removeTree } from '../../staging/removeTree.ts';
import { unmountBelow } from '../../staging/unmountBelow.ts';

/** The names of all probes, ours and those of containers/storage, with random letters or digits behind. */
const PROBE = /^(?:compat|opaque-bug-check|metacopy-check|volatile-check|idmap-check)[A-Za-z0-9]+$/;
/** A probe takes milliseconds. */
const OLD_MS = 60_000;
/** Others may work in the same home, and not all that lies there is ours. */
const NOT_OURS = new Set(['ENOENT', 'EACCES', 'EPERM', 'EBUSY', 'ENOTEMPTY']);

/**
 * Removes what probes left that were killed, or during which the power went. What resists is left to garbage
 * collection, which says why.
 *
 * @throws the system error where the home itself cannot be used
 */
export function removeOldProbes(home: string, now: number = Date.now()): void {
  for (const name of readdirSync(home)) {
    if (!PROBE.test(name)) continue;
    const path = join(home, name);
    try {
      if (now - lstatSync(path).mtimeMs < OLD_MS) continue;
      unmountBelow(path);
      removeTree(path);
    } catch (error) {
      if (!NOT_OURS.has(errnoCode(error) ?? '')) throw error;
    }
  }
}
