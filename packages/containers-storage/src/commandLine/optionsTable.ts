import { homedir } from 'node:os';
import { type Flag, initialValue } from './flag.ts';

const MINIMUM_COLUMN = 20;
const PADDING = 3;

/** The lines about flags in a help text, sorted by name, with the empty line above them. */
export function optionsTable(flags: readonly Flag[]): string {
  const rows = flags
    .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
    .map((flag) => ({ cell: `  ${flag.names.join(', ')}${shownValue(flag)}`, text: flag.description }));
  const width = Math.max(MINIMUM_COLUMN, ...rows.map(({ cell }) => [...cell].length + PADDING));
  const padded = (cell: string) => cell + ' '.repeat(width - [...cell].length);
  return `\n${rows.map(({ cell, text }) => `${padded(cell)} ${text}\n`).join('')}`;
}

function sortKey({ names: [first] }: Flag): string {
  return first.slice(2).toLowerCase();
}

function shownValue(flag: Flag): string {
  const value = initialValue(flag);
  if (Array.isArray(value)) return `=[${value.join(' ')}]`;
  const text = String(value);
  return text === '' || text === 'false' || text === '0' ? '' : `=${tilde(text)}`;
}

function tilde(path: string): string {
  const home = homedir();
  return home !== '' && path.startsWith(home) ? `~${path.slice(home.length)}` : path;
}
