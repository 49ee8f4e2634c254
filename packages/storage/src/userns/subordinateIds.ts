import { readFileSync } from 'node:fs';
import { errnoCode, wrapSystemError } from '@sediment/core';

/** `count` ids of the host, from `first` on, that a user may hand out in namespaces. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** subuid(5): `login-or-uid:first:count`, one range a line. */
const LINE = /^(?<owner>[^:]+):(?<first>\d+):(?<count>\d+)$/;

/**
 * The ranges that a file such as `/etc/subuid` sets aside for a user, in its order. None if there is no
 * such file.
 *
 * @param owner login name and uid; a line may name either
 */
export function subordinateIds(file: string, owner: { name?: string; uid: number }): IdRange[] {
  const owners = [owner.name, String(owner.uid)];
  const ranges = readLines(file).map((line) => LINE.exec(line.trim())?.groups);
  return ranges
    .filter((range) => range !== undefined && owners.includes(range.owner))
    .map((range) => ({ first: Number(range?.first), count: Number(range?.count) }))
    .filter(({ count }) => count > 0);
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw wrapSystemError(error, `reading ${file}`, 'IO', { path: file });
  }
}
