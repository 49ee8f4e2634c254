import { goJsonStringify } from '@sediment/core';
import type { Streams } from './streams.ts';

/** Prints one JSON value on a line of its own, as Go's `encoding/json` writes it. */
export function printJson(streams: Streams, value: unknown): void {
  streams.out(`${jsonText(value)}\n`);
}

/**
 * JSON text in which the keys of a `Map` stand in its order. Those of an object cannot always: JavaScript
 * puts keys that look like array indices first.
 */
export function jsonText(value: unknown): string {
  if (!holdsMap(value)) return goJsonStringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${entries.map(([key, each]) => `${goJsonStringify(key)}:${jsonText(each)}`).join(',')}}`;
}

/** Most values hold none, and then one call writes all of it. */
function holdsMap(value: unknown): value is object {
  if (value === null || typeof value !== 'object') return false;
  if (value instanceof Map) return true;
  // without a list of the values, which would be ten thousand of them
  for (const key in value) if (holdsMap((value as Readonly<Record<string, unknown>>)[key])) return true;
  return false;
}

const NO_ENTRIES: ReadonlyMap<string, never> = new Map<string, never>();

/** A map with its keys in the order of Go's maps: by their bytes. */
export function sortedMap<T>(
  map: Readonly<Record<string, T>> | ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  const entries = map instanceof Map ? [...map] : Object.entries(map);
  if (entries.length === 0) return NO_ENTRIES;
  const byBytes = ([a]: [string, T], [b]: [string, T]) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return new Map(entries.sort(byBytes));
}

/** A list as Go prints one that was never filled: `null` instead of an empty array. */
export function listOrNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}
