import type { IdMap } from '../records/idMap.ts';
import type { IdRange } from './subordinateIds.ts';

/** What is left of ranges when ids are taken away, in the order of the ranges. */
export function withoutIds(ranges: readonly IdRange[], taken: readonly IdRange[]): IdRange[] {
  return taken.reduce<IdRange[]>(
    (left, hole) => left.flatMap((range) => cutOut(range, hole)),
    ranges.filter(({ size }) => size > 0),
  );
}

function cutOut(range: IdRange, hole: IdRange): IdRange[] {
  const end = range.start + range.size;
  const holeEnd = hole.start + hole.size;
  if (hole.size <= 0 || holeEnd <= range.start || hole.start >= end) return [range];
  return [
    { start: range.start, size: hole.start - range.start },
    { start: holeEnd, size: end - holeEnd },
  ].filter(({ size }) => size > 0);
}

/** The first `count` ids of the ranges; undefined when they have fewer. */
export function firstIds(ranges: readonly IdRange[], count: number): IdRange[] | undefined {
  const found: IdRange[] = [];
  let missing = count;
  for (const { start, size } of ranges) {
    if (missing === 0) break;
    const part = Math.min(size, missing);
    found.push({ start, size: part });
    missing -= part;
  }
  return missing === 0 ? found : undefined;
}

export function countIds(ranges: readonly IdRange[]): number {
  return ranges.reduce((sum, { size }) => sum + size, 0);
}

/** Maps that lay two lists of as many ids side by side. */
export function pairIds(containerIds: readonly IdRange[], hostIds: readonly IdRange[]): IdMap[] {
  const maps: IdMap[] = [];
  const hosts = hostIds.map((range) => ({ ...range }));
  for (const { start, size } of containerIds) {
    for (let done = 0; done < size; ) {
      const host = hosts[0];
      if (host === undefined) throw new RangeError('there are fewer host ids than container ids');
      const part = Math.min(size - done, host.size);
      maps.push({ containerId: start + done, hostId: host.start, size: part });
      done += part;
      host.start += part;
      host.size -= part;
      if (host.size === 0) hosts.shift();
    }
  }
  return maps;
}

export function hostRanges(maps: readonly IdMap[]): IdRange[] {
  return maps.map(({ hostId, size }) => ({ start: hostId, size }));
}

export function containerRanges(maps: readonly IdMap[]): IdRange[] {
  return maps.map(({ containerId, size }) => ({ start: containerId, size }));
}
