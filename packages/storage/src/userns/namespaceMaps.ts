import { userInfo } from 'node:os';
import { StorageError, type WarningHandler } from '@sediment/core';
import type { IdMap } from '../records/idMap.ts';
import { type IdRange, subordinateIds } from './subordinateIds.ts';

/** The ids that exist in a rootless user's namespace. */
export interface NamespaceMaps {
  readonly uids: readonly IdMap[];
  readonly gids: readonly IdMap[];
}

interface MapFiles {
  readonly subuid: string;
  readonly subgid: string;
}

const FILES: MapFiles = { subuid: '/etc/subuid', subgid: '/etc/subgid' };

/**
 * The maps that rootless programs give themselves: root is the user, and the user's subordinate ids
 * follow from 1 on. Without subordinate ids only root exists, which is announced.
 */
export function namespaceMaps(onWarning: WarningHandler, files: MapFiles = FILES): NamespaceMaps {
  const { uid, gid } = processIds();
  const name = loginName();
  const owner = { uid, ...(name === undefined ? {} : { name }) };
  const uidRanges = subordinateIds(files.subuid, owner);
  const gidRanges = subordinateIds(files.subgid, owner);
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
  const maps = [{ containerId: 0, hostId: own, size: 1 }];
  let next = 1;
  for (const { first, count } of ranges) {
    maps.push({ containerId: next, hostId: first, size: count });
    next += count;
  }
  return maps;
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
