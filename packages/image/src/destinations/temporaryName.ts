import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const MARK = '.sediment-';

/** A new hidden name for something that becomes `name` (or part of it) once it is complete. */
export function temporaryName(name: string): string {
  return `${prefixOf(name)}${randomBytes(8).toString('hex')}`;
}

/** Paths in `directory` that {@link temporaryName} gave for `name`. */
export async function temporariesIn(directory: string, name: string): Promise<string[]> {
  const prefix = prefixOf(name);
  const isOurs = (entry: string) =>
    entry.startsWith(prefix) && /^[0-9a-f]{16}$/.test(entry.slice(prefix.length));
  return (await readdir(directory)).filter(isOurs).map((entry) => join(directory, entry));
}

function prefixOf(name: string): string {
  return name === '' ? MARK : `.${name}${MARK}`;
}
