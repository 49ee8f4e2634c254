import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreRoot } from './storeRoot.ts';

/** One line per entry of a store; equal when nobody changed, added or removed anything. */
export type StoreState = Record<string, string>;

/**
 * Type, mode, owner, links, time and content of every entry below the graph root and the run root of a
 * store. Sizes and times of directories are left out: these also tell of a temporary file that is gone.
 */
export function storeState({ graphRoot, runRoot }: StoreRoot): StoreState {
  const state: StoreState = {};
  for (const root of [graphRoot, runRoot]) addEntry(state, root);
  return state;
}

function addEntry(state: StoreState, path: string): void {
  const info = lstatSync(path, { bigint: true });
  const owned = `${info.mode.toString(8)} ${info.uid}:${info.gid}`;
  if (info.isDirectory()) {
    state[path] = owned;
    for (const name of readdirSync(path).sort()) addEntry(state, join(path, name));
    return;
  }
  const facts = `${owned} ${info.nlink} ${info.rdev} ${info.mtimeNs}`;
  if (info.isFile())
    state[path] = `${facts} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
  else if (info.isSymbolicLink()) state[path] = `${facts} → ${readlinkSync(path)}`;
  else state[path] = facts;
}
