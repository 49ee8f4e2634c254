import { lstatSync, readdirSync, readFileSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { errnoCode, StorageError } from '@sediment/core';
import { crypto } from '../../lazyModules.ts';
import { ensureDirectory, writeExactFile } from '../exactModes.ts';
import { lowerEntry, type OverlayHome } from './overlayHome.ts';
import type { OverlayHomes, OverlayLayer } from './overlayLayer.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const NAME_LENGTH = 26;
const LINKS_MODE = 0o755;
const FILE_MODE = 0o644;

/** The target of a layer's short link: exactly this text, or other programs take it for damaged. */
function targetOf(id: string): string {
  return `../${id}/diff`;
}

/** 26 random letters and digits of base 32 (RFC 4648): 130 bits. */
function randomLinkName(): string {
  return Array.from(crypto().randomBytes(NAME_LENGTH), (byte) => ALPHABET[byte % 32]).join('');
}

/**
 * Gives a new layer its short link: mount options name layers by it, since they must fit one page.
 */
export function makeShortLink(home: OverlayHome, id: string): void {
  const name = randomLinkName();
  ensureDirectory(home.links, LINKS_MODE);
  symlinkSync(targetOf(id), home.shortLink(name));
  writeExactFile(home.layer(id).link, name, FILE_MODE);
}

/**
 * Writes which layers lie below a new layer: its parent, then what lies below that. A frozen copy; the
 * layers may lie in other homes.
 */
export function writeLower(home: OverlayHome, id: string, parent: OverlayLayer): void {
  const below = readIfExists(parent.home.layer(parent.id).lower);
  const entries = [
    lowerEntry(requireLinkName(parent.home, parent.id)),
    ...(below === undefined ? [] : [below]),
  ];
  writeExactFile(home.layer(id).lower, entries.join(':'), FILE_MODE);
}

/** Entries `l/<name>` of the layers below, nearest first; none for a base layer. */
export function readLower({ home, id }: OverlayLayer): string[] {
  return (readIfExists(home.layer(id).lower) ?? '').split(':').filter((entry) => entry !== '');
}

/**
 * The layer that an entry of a `lower` file means: by the short link in the first home that has it, or, when
 * it is lost, by the layers' own notes. Changes nothing.
 */
export function layerOfEntry(homes: OverlayHomes, entry: string): OverlayLayer | undefined {
  const name = basename(entry);
  const found =
    firstOf(homes, (home) => idOfTarget(readTarget(home, name) ?? '')) ??
    firstOf(homes, (home) => home.layers.list().find((id) => readLinkName(home, id) === name));
  return found === undefined ? undefined : { ...found, place: homes.placeOf(found.home) };
}

function firstOf(
  homes: OverlayHomes,
  find: (home: OverlayHome) => string | undefined,
): { id: string; home: OverlayHome } | undefined {
  for (const home of homes.all) {
    const id = find(home);
    if (id !== undefined) return { id, home };
  }
  return undefined;
}

/** All short links that lead to a layer; more than one after a crash of another program. */
export function shortLinksOf(home: OverlayHome, id: string): string[] {
  const noted = readLinkName(home, id);
  if (noted !== undefined) return [noted];
  return listLinks(home).filter((name) => readTarget(home, name) === targetOf(id));
}

/**
 * Makes lost short links and lost `link` files again, each from the other. Call it under the layers lock.
 *
 * @returns how many had to be made or corrected
 */
export function repairShortLinks(home: OverlayHome): number {
  let repaired = 0;
  ensureDirectory(home.links, LINKS_MODE);
  for (const name of listLinks(home)) {
    const id = idOfTarget(readTarget(home, name) ?? '');
    if (id !== undefined && home.layers.exists(id)) {
      if (readLinkName(home, id) !== undefined) continue;
      writeExactFile(home.layer(id).link, name, FILE_MODE);
    } else if (id === undefined) {
      unlinkSync(home.shortLink(name));
    } else {
      continue;
    }
    repaired++;
  }
  for (const id of home.layers.list()) {
    const name = readLinkName(home, id);
    if (name === undefined || lstatSync(home.shortLink(name), { throwIfNoEntry: false }) !== undefined)
      continue;
    symlinkSync(targetOf(id), home.shortLink(name));
    repaired++;
  }
  return repaired;
}

function requireLinkName(home: OverlayHome, id: string): string {
  const name = readLinkName(home, id) ?? shortLinksOf(home, id)[0];
  if (name !== undefined) return name;
  throw new StorageError('LAYER_UNKNOWN', `layer "${id}" has lost its short link in ${home.links}`, {
    object: id,
    path: home.layer(id).link,
    hint: 'the layer is damaged: remove it and import it again',
  });
}

/** The noted name; a line end that someone's editor added is not part of it. */
function readLinkName(home: OverlayHome, id: string): string | undefined {
  const name = readIfExists(home.layer(id).link)?.trim();
  return name === '' || name?.includes('/') ? undefined : name;
}

function listLinks(home: OverlayHome): string[] {
  try {
    return readdirSync(home.links).sort();
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function readTarget(home: OverlayHome, name: string): string | undefined {
  try {
    return readlinkSync(home.shortLink(name));
  } catch (error) {
    if (errnoCode(error) === 'EINVAL' || errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function idOfTarget(target: string): string | undefined {
  return /^\.\.\/([^/]+)\/diff$/.exec(target)?.[1];
}

function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
