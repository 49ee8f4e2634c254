import { goJsonStringify } from '@sediment/core';
import type { Streams } from './streams.ts';

/** Prints one JSON value on a line of its own, as Go's `encoding/json` writes it. */
export function printJson(streams: Streams, value: unknown): void {
  streams.out(`${goJsonStringify(value)}\n`);
}

/** A copy of a map with its keys in the order of Go's maps: by their bytes. */
export function sortedMap<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  const byBytes = ([a]: [string, T], [b]: [string, T]) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Object.fromEntries(Object.entries(map).toSorted(byBytes));
}
