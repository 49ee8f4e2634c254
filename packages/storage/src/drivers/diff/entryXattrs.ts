import type { TarXattr } from '@sediment/codec';
import { errnoCode } from '@sediment/core';
import { lgetxattr, llistxattr } from '@sediment/posix';

const KEPT = new Set(['security.capability', 'security.ima']);
const USER = 'user.';
/** Marks of an overlay file system that was mounted without privilege. */
const USER_OVERLAY = 'user.overlay.';

/** The attributes of a file that a layer archive keeps; all others belong to the host. */
export function archivedXattrs(path: Buffer): TarXattr[] {
  return readXattrs(
    path,
    (name) => KEPT.has(name) || (name.startsWith(USER) && !name.startsWith(USER_OVERLAY)),
  );
}

/** The attributes of a file by which two trees are compared. */
export function comparedXattrs(path: Buffer): TarXattr[] {
  return readXattrs(path, (name) => name === 'security.capability' || name.startsWith(USER));
}

function readXattrs(path: Buffer, wanted: (name: string) => boolean): TarXattr[] {
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
    if (errnoCode(error) === 'EOPNOTSUPP') return [];
    throw error;
  }
}
