import type { TarXattr } from '@sediment/codec';
import { readXattrs } from '../readXattrs.ts';

const KEPT = new Set(['security.capability', 'security.ima']);
const USER = 'user.';
/** Marks of an overlay file system that was mounted without privilege. */
const USER_OVERLAY = 'user.overlay.';

/** The attributes of a file that a layer archive keeps; all others belong to the host. */
export function archivedXattrs(path: Buffer): TarXattr[] {
  return readXattrs(path, isArchivedXattr);
}

export function isArchivedXattr(name: string): boolean {
  return KEPT.has(name) || (name.startsWith(USER) && !name.startsWith(USER_OVERLAY));
}

/** The attributes of a file by which two trees are compared. */
export function comparedXattrs(path: Buffer): TarXattr[] {
  return readXattrs(path, (name) => name === 'security.capability' || name.startsWith(USER));
}
