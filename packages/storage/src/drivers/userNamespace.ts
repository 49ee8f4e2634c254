import { readFileSync } from 'node:fs';
import { errnoCode } from '@sediment/core';

const ALL_IDS = '0 0 4294967295';

/** Whether this process is in a user namespace: "root" here is an ordinary user of the host. */
export function inUserNamespace(path = '/proc/self/uid_map'): boolean {
  try {
    return readFileSync(path, 'utf8').trim().replace(/\s+/g, ' ') !== ALL_IDS;
  } catch (error) {
    // A kernel without user namespaces.
    if (errnoCode(error) === 'ENOENT') return false;
    throw error;
  }
}
