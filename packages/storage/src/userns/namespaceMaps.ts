import { userInfo } from 'node:os';
import { StorageError, type WarningHandler } from '@sediment/core';
import { type IdRange, mapsOf, SUBGID_FILE, SUBUID_FILE, subordinateIds } from '../idmaps/subordinateIds.ts';
import type { IdMap } from '../records/idMap.ts';

/** The ids that exist in a rootless user's namespace. */
export interface NamespaceMaps {
  readonly uids: readonly IdMap[];
  readonly gids: readonly IdMap[];
}

interface MapFiles {
  readonly subuid: string;
  readonly subgid: string;
}

const FILES: MapFiles = { subuid: SUBUID_FILE, subgid: SUBGID_FILE };

/**
 * The maps that rootless programs give themselves: root is the user, and the user's subordinate ids
 * follow from 1 on. Without subordinate ids only root exists, which is announced.
 */
export function namespaceMaps(onWarning: WarningHandler, files: MapFiles = FILES): NamespaceMaps {
  const { uid, gid } = processIds();
  const name = loginName();
  const uidRanges = subordinateIds(name ?? '', files.subuid, uid);
  const gidRanges = subordinateIds(name ?? '', files.subgid, uid);
  if (uidRanges.length > 0 && gidRanges.length > 0) {
    return { uids: consecutive(uid, uidRanges), gids: consecutive(gid, gidRanges) };
  }
  const file = uidRanges.length === 0 ? files.subuid : files.subgid;
  const who = name === undefined ? `uid ${uid}` : `user "${name}"`;
  onWarning({
    code: 'SINGLE_ID_MAP',
    message:
      `no ${file === files.subuid ? 'subuid' : 'subgid'} ranges found for ${who} in ${file}: ` +
      'a single id is mapped into the user namespace, and files of other owners cannot be made',
    path: file,
  });
  return { uids: consecutive(uid, []), gids: consecutive(gid, []) };
}

/** Id 0 is the user; each range follows the one before it. */
function consecutive(own: number, ranges: readonly IdRange[]): IdMap[] {
  return mapsOf([{ start: own, size: 1 }, ...ranges]);
}

function processIds(): { uid: number; gid: number } {
  const { geteuid, getegid } = process;
  if (geteuid === undefined || getegid === undefined) {
    throw new StorageError('NOT_SUPPORTED', 'this platform has no user namespaces', {
      hint: 'run the program on Linux',
    });
  }
  return { uid: geteuid(), gid: getegid() };
}

/** None for a uid that no user database knows. */
function loginName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
