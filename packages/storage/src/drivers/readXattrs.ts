import type { TarXattr } from '@sediment/codec';
import { errnoCode } from '@sediment/core';
import { lgetxattr, llistxattr } from '@sediment/posix';

/** The attributes of a file (of a link itself) whose names `wanted` picks; none where there are no attributes. */
export function readXattrs(path: Buffer, wanted: (name: string) => boolean): TarXattr[] {
  const found: TarXattr[] = [];
  for (const name of listXattrs(path)) {
    if (!wanted(name.toString('latin1'))) continue;
    const value = lgetxattr(path, name);
    if (value !== undefined) found.push({ name, value });
  }
  return found;
}

function listXattrs(path: Buffer): Buffer[] {
  try {
    return llistxattr(path);
  } catch (error) {
    // EOPNOTSUPP and ENOTSUP are one number on Linux.
    if (errnoCode(error) === 'EOPNOTSUPP' || errnoCode(error) === 'ENOTSUP') return [];
    throw error;
  }
}
