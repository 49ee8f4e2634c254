import { readdirSync, readlinkSync } from 'node:fs';
import { errnoCode } from '@sediment/core';
import { close } from '@sediment/posix';

const DESCRIPTORS = '/proc/self/fd';

/**
 * Closes all descriptors of this process on `root` and on what is below it: those that a worker
 * thread had open when it was terminated belong to nobody.
 */
export function closeDescriptorsBelow(root: string): void {
  for (const name of readdirSync(DESCRIPTORS)) {
    const target = targetOf(name);
    if (target === root || target?.startsWith(`${root}/`) === true) close(Number(name));
  }
}

function targetOf(name: string): string | undefined {
  try {
    return readlinkSync(`${DESCRIPTORS}/${name}`);
  } catch (error) {
    // The descriptor with which the list was read, and others that are closed by now.
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
