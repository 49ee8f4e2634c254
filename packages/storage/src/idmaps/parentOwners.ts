import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import { containerId, type IdMapLists } from './idMappings.ts';

/** Ids of the host, ascending, that a mapping has no place for. */
export interface ParentOwners {
  readonly uids: readonly number[];
  readonly gids: readonly number[];
}

/** No owner is missing where ids are as in the host. */
export const NO_OWNERS: ParentOwners = { uids: [], gids: [] };

/**
 * The owners of the directories above a mount point that the maps of what is mounted cannot express: whoever
 * looks out of the container through them sees nobody's directories.
 */
export function parentOwners(mountPoint: string, { uidMap, gidMap }: IdMapLists): ParentOwners {
  const uids = new Set<number>();
  const gids = new Set<number>();
  for (let path = dirname(mountPoint); path !== dirname(path); path = dirname(path)) {
    const { uid, gid } = ownerOf(path);
    if (containerId(uid, uidMap) === undefined) uids.add(uid);
    if (containerId(gid, gidMap) === undefined) gids.add(gid);
  }
  return { uids: ascending(uids), gids: ascending(gids) };
}

function ownerOf(path: string): { readonly uid: number; readonly gid: number } {
  try {
    return lstatSync(path);
  } catch (error) {
    throw wrapSystemError(error, `reading the owner of ${path}`, 'IO', { path });
  }
}

function ascending(ids: ReadonlySet<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}
