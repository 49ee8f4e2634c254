import { StorageError } from '@sediment/core';
import type { IdMap } from '../records/idMap.ts';
import { containerRanges, countIds, firstIds, hostRanges, pairIds, withoutIds } from './idRanges.ts';
import type { IdRange } from './subordinateIds.ts';

export interface FreeIdsRequest {
  /** How many ids the container shall have, from 0 on. */
  readonly size: number;
  /** Whose ids are given away; for messages. */
  readonly owner: string;
  /** Host ids that may be given away. */
  readonly available: readonly IdRange[];
  /** Maps of other containers. */
  readonly used: readonly IdMap[];
  /** Maps that the container gets as they are; they count for the size. */
  readonly additional: readonly IdMap[];
}

/**
 * Maps of ids that no other container has: the lowest free ones.
 *
 * @throws {StorageError} `NO_AVAILABLE_IDS`
 */
export function freeIdMaps({ size, owner, available, used, additional }: FreeIdsRequest): IdMap[] {
  const wanted = withoutIds([{ start: 0, size }], containerRanges(additional));
  const free = withoutIds(available, hostRanges([...used, ...additional]));
  const count = countIds(wanted);
  const chosen = firstIds(free, count);
  if (chosen !== undefined) return [...pairIds(wanted, chosen), ...additional];
  throw new StorageError(
    'NO_AVAILABLE_IDS',
    `${count} ids are needed and ${countIds(free)} of ${owner} are free: not enough unused IDs in user namespace`,
    {
      expected: count,
      actual: countIds(free),
      hint: 'remove containers that have ids of their own, or add a range to /etc/subuid and /etc/subgid',
    },
  );
}
