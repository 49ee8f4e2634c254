import { closeSync, readFileSync } from 'node:fs';
import { errnoCode, wrapSystemError } from '@sediment/core';
import type { Driver } from '../drivers/driver.ts';
import { openInside } from '../drivers/openInside.ts';

/** Everyone has them, and they are too high for a user namespace of ordinary size. */
const NOBODY = 65534;
const NOBODY_NAMES = ['nobody', 'nogroup'];

/** Fields of a line, counted from 0, that are ids (passwd(5), group(5)). */
const PASSWD_IDS = [2, 3];
const GROUP_IDS = [2];

/**
 * The ids of the accounts and groups that an image has, but for nobody's. Files that are missing, or
 * lines that are no accounts, have none.
 */
export function accountIds(
  driver: Driver,
  layerId: string,
  { passwdFile, groupFile }: { readonly passwdFile?: string; readonly groupFile?: string },
): number[] {
  const tree = driver.openTree(layerId);
  try {
    const read = (name: string) => readInside(`/proc/self/fd/${tree.fd}`, name);
    return [
      ...idsOf(passwdFile === undefined ? read('etc/passwd') : readHostFile(passwdFile), PASSWD_IDS),
      ...idsOf(groupFile === undefined ? read('etc/group') : readHostFile(groupFile), GROUP_IDS),
    ];
  } finally {
    tree.close();
  }
}

function idsOf(text: string, columns: readonly number[]): number[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(':');
    if (NOBODY_NAMES.includes(fields[0] as string)) return [];
    const ids = columns.map((column) => fields[column] ?? '').filter((field) => /^\d+$/.test(field));
    return ids.map(Number).filter((id) => id !== NOBODY);
  });
}

function readInside(root: string, name: string): string {
  const fd = openInside(root, Buffer.from(name));
  if (fd === undefined) return '';
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function readHostFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return '';
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}
