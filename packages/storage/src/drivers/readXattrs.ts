import type { TarXattr } from '@sediment/codec';
import { errnoCode } from '@sediment/core';
import { fgetxattr, flistxattr, lgetxattr, llistxattr } from '@sediment/posix';

/** The attributes of a file (of a link itself) whose names `wanted` picks; none where there are no attributes. */
export function readXattrs(path: Buffer, wanted: (name: string) => boolean): TarXattr[] {
  return pick(
    namesBy(() => llistxattr(path)),
    wanted,
    (name) => lgetxattr(path, name),
  );
}

/** Like {@link readXattrs} for an open file (not an O_PATH descriptor). */
export function readOpenXattrs(fd: number, wanted: (name: string) => boolean): TarXattr[] {
  return pick(
    namesBy(() => flistxattr(fd)),
    wanted,
    (name) => fgetxattr(fd, name),
  );
}

function pick(
  names: readonly Buffer[],
  wanted: (name: string) => boolean,
  read: (name: Buffer) => Buffer | undefined,
): TarXattr[] {
  const found: TarXattr[] = [];
  for (const name of names) {
    if (!wanted(name.toString('latin1'))) continue;
    const value = read(name);
    if (value !== undefined) found.push({ name, value });
  }
  return found;
}

function namesBy(list: () => Buffer[]): Buffer[] {
  try {
    return list();
  } catch (error) {
    // EOPNOTSUPP and ENOTSUP are one number on Linux.
    if (errnoCode(error) === 'EOPNOTSUPP' || errnoCode(error) === 'ENOTSUP') return [];
    throw error;
  }
}
