import { closeSync, openSync } from 'node:fs';
import { wrapSystemError } from '@sediment/core';
import { syncfs } from '@sediment/posix';

/** Brings the file system of a driver home to the disk. */
export function syncHome(home: string): void {
  try {
    const fd = openSync(home, 'r');
    try {
      syncfs(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw wrapSystemError(error, `writing ${home} to the disk`, 'IO', { path: home });
  }
}
