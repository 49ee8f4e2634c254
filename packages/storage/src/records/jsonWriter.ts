import { goJsonStringify } from '@sediment/core';
import { ExactNumber } from './jsonReader.ts';

/**
 * Text of one JSON object, its keys in the order given, on one line and escaped as Go does. Keys of
 * `undefined` values are left out.
 *
 * @param sorted names of keys whose value is a Go map: keys below them are sorted by bytes
 */
export function writeJsonObject(value: Readonly<Record<string, unknown>>, sorted: readonly string[]): string {
  return joinMembers(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, writeValue(member, sorted.includes(key))]),
  );
}

function writeValue(value: unknown, sort: boolean): string {
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => writeValue(item, sort)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (sort) members.sort(([a], [b]) => compareBytes(a, b));
    return joinMembers(members.map(([key, member]) => [key, writeValue(member, sort)]));
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`${value} cannot be written as JSON`);
  }
  if (['string', 'number', 'boolean'].includes(typeof value) || value === null) return goJsonStringify(value);
  throw new TypeError(`a ${typeof value} cannot be written as JSON`);
}

function joinMembers(members: ReadonlyArray<readonly [string, string]>): string {
  return `{${members.map(([key, text]) => `${goJsonStringify(key)}:${text}`).join(',')}}`;
}

/** Order of Go strings: by UTF-8 bytes. JavaScript's own order of UTF-16 units differs beyond U+D800. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
