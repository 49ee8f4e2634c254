import { existsSync, lstatSync, statSync } from 'node:fs';
import { StorageError, type WarningHandler } from '@sediment/core';
import type { OverlayHome } from './overlayHome.ts';
import type { OverlayHomes, OverlayLayer } from './overlayLayer.ts';
import { layerOfEntry, readLower, repairShortLinks } from './shortLinks.ts';

/** The kernel's limit, which containers/storage checks too. */
const MAX_DEPTH = 500;

/** A directory below a mount, named from the home that holds it, since the home may be mounted elsewhere. */
export interface LowerDirectory {
  /** Path of the driver home. */
  readonly home: string;
  readonly inHome: string;
}

export function lowerPath({ home, inHome }: LowerDirectory): string {
  return `${home}/${inHome}`;
}

/**
 * The directories below a layer's own `diff` for the mount options, nearest first and never none: older
 * diffs of an id-shifted layer (`diff1` …), then each lower through its short link with its older diffs.
 * Lost short links are made again.
 *
 * @throws {StorageError} `MOUNT_FAILED` when there are more than the kernel takes, or one is lost
 */
export function lowerDirectories(
  homes: OverlayHomes,
  layer: OverlayLayer,
  onWarning: WarningHandler,
): LowerDirectory[] {
  const { id, home } = layer;
  const entries = readLower(layer);
  if (entries.length > MAX_DEPTH) throw tooDeep(id, entries.length);
  const found = [
    ...olderDiffs({ home: home.path, inHome: id }),
    ...entries.flatMap((entry) => {
      const lower = resolveEntry(homes, layer, entry, onWarning);
      refuseComposefs(id, lower);
      // Not normalised: the kernel follows the short link, then goes up.
      return [lower, ...olderDiffs({ ...lower, inHome: `${entry}/..` })];
    }),
  ];
  return found.length === 0 ? [{ home: home.path, inHome: `${id}/empty` }] : found;
}

/** @throws {StorageError} `MOUNT_FAILED` when a mount of these would have more directories than the kernel takes */
export function checkDepth(id: string, lowers: readonly unknown[]): void {
  if (lowers.length > MAX_DEPTH) throw tooDeep(id, lowers.length);
}

/** `diff` directories of the layers below, nearest first, each with its older diffs. Changes nothing. */
export function lowerDiffs(homes: OverlayHomes, layer: OverlayLayer): string[] {
  return readLower(layer).flatMap((entry) => {
    const lower = layerOfEntry(homes, entry);
    if (lower === undefined) throw lostLower(layer, entry);
    return ownDiffs(lower);
  });
}

/** `diff` of a layer and its older diffs. */
export function ownDiffs({ home, id }: OverlayLayer): string[] {
  return [home.layer(id).diff, ...olderDiffs({ home: home.path, inHome: id }).map(lowerPath)];
}

function resolveEntry(
  homes: OverlayHomes,
  layer: OverlayLayer,
  entry: string,
  onWarning: WarningHandler,
): LowerDirectory {
  const holds = (home: OverlayHome) => existsSync(`${home.path}/${entry}`);
  const found = homes.all.find(holds) ?? repairedHome(homes, holds, onWarning);
  if (found !== undefined) return { home: found.path, inHome: entry };
  // In an additional store nothing can be made again, but its layers have notes of their own.
  const noted = layerOfEntry(homes, entry);
  if (noted === undefined) throw lostLower(layer, entry);
  return { home: noted.home.path, inHome: `${noted.id}/diff` };
}

function repairedHome(
  homes: OverlayHomes,
  holds: (home: OverlayHome) => boolean,
  onWarning: WarningHandler,
): OverlayHome | undefined {
  const repaired = homes.writable.map((home) => ({ home, links: repairShortLinks(home) }));
  for (const { home, links } of repaired) {
    if (links === 0) continue;
    onWarning({
      code: 'LINKS_REPAIRED',
      message: `${links} short links of layers were lost in ${home.links} and made again`,
      path: home.links,
    });
  }
  return homes.writable.find(holds);
}

function refuseComposefs(id: string, lower: LowerDirectory): void {
  const path = lowerPath(lower);
  if (lstatSync(`${path}/../composefs-data`, { throwIfNoEntry: false }) === undefined) return;
  throw new StorageError('NOT_SUPPORTED', `layer "${id}" stands on a composefs layer (${path})`, {
    object: id,
    path,
    hint: 'mount it with podman, or import the image again with Sediment',
  });
}

function olderDiffs({ home, inHome }: LowerDirectory): LowerDirectory[] {
  const found: LowerDirectory[] = [];
  for (;;) {
    const next = { home, inHome: `${inHome}/diff${found.length + 1}` };
    if (statSync(lowerPath(next), { throwIfNoEntry: false }) === undefined) return found;
    found.push(next);
  }
}

function tooDeep(id: string, depth: number): StorageError {
  return new StorageError('MOUNT_FAILED', `layer "${id}" has ${depth} lower layers: max depth exceeded`, {
    object: id,
    expected: MAX_DEPTH,
    actual: depth,
    hint: 'squash the image into fewer layers',
  });
}

function lostLower({ id, home }: OverlayLayer, entry: string): StorageError {
  return new StorageError('MOUNT_FAILED', `layer "${id}" stands on ${home.path}/${entry}, which is lost`, {
    object: id,
    path: `${home.path}/${entry}`,
    hint: 'the store is damaged: remove the image and import it again',
  });
}
