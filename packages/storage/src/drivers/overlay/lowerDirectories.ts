import { existsSync, lstatSync, statSync } from 'node:fs';
import { StorageError, type WarningHandler } from '@sediment/core';
import type { OverlayHome } from './overlayHome.ts';
import { layerOfEntry, readLower, repairShortLinks } from './shortLinks.ts';

/** The kernel's limit, which containers/storage checks too. */
const MAX_DEPTH = 500;

/**
 * The directories below a layer's own `diff` for the mount options, nearest first and never none: older
 * diffs of an id-shifted layer (`diff1` …), then each lower through its short link with its older diffs.
 * Lost short links are made again.
 */
export function lowerDirectories(home: OverlayHome, id: string, onWarning: WarningHandler): string[] {
  const paths = home.layer(id);
  const entries = readLower(home, id);
  if (entries.length > MAX_DEPTH) {
    throw new StorageError(
      'MOUNT_FAILED',
      `layer "${id}" has ${entries.length} lower layers: max depth exceeded`,
      {
        object: id,
        expected: MAX_DEPTH,
        actual: entries.length,
        hint: 'squash the image into fewer layers',
      },
    );
  }
  const found = [
    ...olderDiffs(paths.dir),
    ...entries.flatMap((entry) => {
      const path = resolvedEntry(home, id, entry, onWarning);
      // Not normalised: the kernel follows the short link, then goes up.
      return [path, ...olderDiffs(`${path}/..`)];
    }),
  ];
  return found.length === 0 ? [paths.empty] : found;
}

/** `diff` directories of the layers below, nearest first, each with its older diffs. Changes nothing. */
export function lowerDiffs(home: OverlayHome, id: string): string[] {
  return readLower(home, id).flatMap((entry) => {
    const lower = layerOfEntry(home, entry);
    if (lower === undefined) throw lostLower(home, id, entry);
    return ownDiffs(home, lower);
  });
}

/** `diff` of a layer and its older diffs. */
export function ownDiffs(home: OverlayHome, id: string): string[] {
  const paths = home.layer(id);
  return [paths.diff, ...olderDiffs(paths.dir)];
}

function resolvedEntry(home: OverlayHome, id: string, entry: string, onWarning: WarningHandler): string {
  const path = `${home.path}/${entry}`;
  if (!existsSync(path)) {
    const repaired = repairShortLinks(home);
    if (!existsSync(path)) throw lostLower(home, id, entry);
    onWarning({
      code: 'LINKS_REPAIRED',
      message: `${repaired} short links of layers were lost in ${home.links} and made again`,
      path: home.links,
    });
  }
  if (lstatSync(`${path}/../composefs-data`, { throwIfNoEntry: false }) !== undefined) {
    throw new StorageError('NOT_SUPPORTED', `layer "${id}" stands on a composefs layer (${path})`, {
      object: id,
      path,
      hint: 'mount it with podman, or import the image again with Sediment',
    });
  }
  return path;
}

function olderDiffs(dir: string): string[] {
  const found: string[] = [];
  for (let path = `${dir}/diff1`; statSync(path, { throwIfNoEntry: false }) !== undefined; ) {
    found.push(path);
    path = `${dir}/diff${found.length + 1}`;
  }
  return found;
}

function lostLower(home: OverlayHome, id: string, entry: string): StorageError {
  return new StorageError('MOUNT_FAILED', `layer "${id}" stands on ${home.path}/${entry}, which is lost`, {
    object: id,
    path: `${home.path}/${entry}`,
    hint: 'the store is damaged: remove the image and import it again',
  });
}
