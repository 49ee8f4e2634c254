import { readFileSync } from 'node:fs';
import { withoutIds } from './idRanges.ts';
import type { IdRange } from './subordinateIds.ts';

/**
 * Ids that the user namespace of this process has, as they are called inside; but for root's.
 *
 * @param path the map of the kernel (user_namespaces(7)): lines `inside outside count`
 */
export function namespaceIds(path: '/proc/self/uid_map' | '/proc/self/gid_map' | (string & {})): IdRange[] {
  const ranges = readFileSync(path, 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([start, , size]) => (start === undefined || size === undefined ? [] : [{ start, size }]));
  return withoutIds(ranges, [{ start: 0, size: 1 }]);
}
