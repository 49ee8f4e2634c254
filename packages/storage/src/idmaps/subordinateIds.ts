import { readFileSync } from 'node:fs';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import type { IdMap } from '../records/idMap.ts';

export const SUBUID_FILE = '/etc/subuid';
export const SUBGID_FILE = '/etc/subgid';

/** Host ids that a user may give to user namespaces. */
export interface IdRange {
  readonly start: number;
  readonly size: number;
}

/**
 * The ranges of a user or group in `/etc/subuid` or `/etc/subgid` (subuid(5)), in the order of the file.
 * None when there is no such file.
 *
 * @param numericId ranges may be given to the id instead of the name
 */
export function subordinateIds(
  name: string,
  file: string = SUBUID_FILE,
  numericId?: number,
): readonly IdRange[] {
  const owners = new Set([name, 'ALL', ...(numericId === undefined ? [] : [String(numericId)])]);
  return readLines(file).flatMap((line) => {
    const [owner, start, size, ...more] = line.trim().split(':');
    if (owner === undefined || !owners.has(owner) || more.length > 0) return [];
    if (!/^\d+$/.test(start ?? '') || !/^\d+$/.test(size ?? '')) return [];
    return [{ start: Number(start), size: Number(size) }];
  });
}

/**
 * Maps that lay the subordinate ids of a user and a group out from 0 on, without gaps inside.
 *
 * @throws {StorageError} `SUBIDS_UNKNOWN` when one of them has no range
 */
export function subordinateMaps(
  user: string,
  group: string,
  files: { readonly subuid?: string; readonly subgid?: string } = {},
): { readonly uidMap: readonly IdMap[]; readonly gidMap: readonly IdMap[] } {
  const { subuid = SUBUID_FILE, subgid = SUBGID_FILE } = files;
  return {
    uidMap: mapsOf(requireRanges('user', user, subuid)),
    gidMap: mapsOf(requireRanges('group', group, subgid)),
  };
}

function requireRanges(kind: 'user' | 'group', name: string, file: string): readonly IdRange[] {
  const ranges = subordinateIds(name, file);
  if (ranges.length > 0) return ranges;
  const ids = kind === 'user' ? 'subuid' : 'subgid';
  throw new StorageError(
    'SUBIDS_UNKNOWN',
    `no ${ids} ranges found for ${kind} ${JSON.stringify(name)} in ${file}`,
    {
      object: name,
      path: file,
      hint: `give the ${kind} a range with "usermod --add-${ids}s FIRST-LAST NAME"`,
    },
  );
}

/** Ranges side by side in the container, the first from 0 on. */
export function mapsOf(ranges: readonly IdRange[]): IdMap[] {
  let containerId = 0;
  return ranges.map(({ start, size }) => {
    const map = { containerId, hostId: start, size };
    containerId += size;
    return map;
  });
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw wrapSystemError(error, `reading ${file}`, 'IO', { path: file });
  }
}
