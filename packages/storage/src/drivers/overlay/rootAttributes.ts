import { lstatSync } from 'node:fs';
import { wrapSystemError } from '@sediment/core';
import { lgetxattr } from '@sediment/posix';
import type { Owner } from '../../idmaps/idMappings.ts';
import type { DirectoryAttributes } from '../exactModes.ts';

const OVERRIDE = 'user.containers.override_stat';
const PERMISSIONS = 0o777;
/** Of a layer without a parent; the root entry of a layer tar is ignored by this driver. */
const BASE_MODE = 0o555;

/** Mode and owner of the root of a base layer: it becomes `/` of containers. */
export function baseRootAttributes(owner: Owner): DirectoryAttributes {
  return { mode: BASE_MODE, ...owner };
}

/**
 * Mode and owner that a layer's root takes over from its parent's. Where a mount program stored the true
 * values in an attribute (`uid:gid:mode[:type]`), from there.
 */
export function inheritedRootAttributes(parentDiff: string): DirectoryAttributes {
  try {
    const override = lgetxattr(parentDiff, OVERRIDE)?.toString();
    const match = /^(\d+):(\d+):([0-7]+)(?::|$)/.exec(override ?? '');
    if (match !== null) {
      const [, uid, gid, mode] = match;
      return { uid: Number(uid), gid: Number(gid), mode: Number.parseInt(mode as string, 8) & PERMISSIONS };
    }
    const { mode, uid, gid } = lstatSync(parentDiff);
    return { mode: mode & PERMISSIONS, uid, gid };
  } catch (error) {
    throw wrapSystemError(error, `reading the root of the parent layer, ${parentDiff}`, 'IO', {
      path: parentDiff,
    });
  }
}
