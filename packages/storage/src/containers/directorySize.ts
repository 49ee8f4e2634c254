import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, wrapSystemError } from '@sediment/core';
import { listDirectory } from '../store/removeTempFiles.ts';

/**
 * Bytes of all that is below a directory: files with several names once, directories themselves not. What is
 * missing counts nothing, since files come and go while this runs.
 */
export function directorySize(directory: string): number {
  const seen = new Set<bigint>();
  let total = 0n;
  const pending = [directory];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const name of listDirectory(path)) {
      const child = join(path, name);
      const stat = statOf(child);
      if (stat === undefined || seen.has(stat.ino)) continue;
      seen.add(stat.ino);
      if (stat.isDirectory()) pending.push(child);
      else total += stat.size;
    }
  }
  return Number(total);
}

function statOf(path: string) {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw wrapSystemError(error, `measuring ${path}`, 'IO', { path });
  }
}
