import { readFileSync } from 'node:fs';
import { errnoCode } from '@sediment/core';

const INITIAL_MAP = /^\s*0\s+0\s+4294967295\s*$/;

/**
 * Whether this process runs in a user namespace other than the host's (user_namespaces(7)): "root" is
 * an ordinary user of the host there.
 *
 * @param path the map to look at; for tests
 */
export function inUserNamespace(path = '/proc/self/uid_map'): boolean {
  try {
    return !INITIAL_MAP.test(readFileSync(path, 'latin1'));
  } catch (error) {
    // A kernel without user namespaces has no such file.
    if (errnoCode(error) === 'ENOENT') return false;
    throw error;
  }
}
