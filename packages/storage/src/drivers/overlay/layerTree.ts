import { lstatSync, rmSync } from 'node:fs';
import { type WarningHandler, wrapSystemError } from '@sediment/core';
import type { Owner } from '../../idmaps/idMappings.ts';
import { removeTree } from '../../staging/removeTree.ts';
import type { TempDir } from '../../staging/tempDirRoot.ts';
import { cleanUpAfterFailure } from '../cleanUpAfterFailure.ts';
import { type DirectoryAttributes, makeDirectory } from '../exactModes.ts';
import type { OverlayHome } from './overlayHome.ts';
import type { OverlayLayer } from './overlayLayer.ts';
import { makeShortLink, shortLinksOf, writeLower } from './shortLinks.ts';

const PRIVATE_MODE = 0o700;

export interface NewLayer {
  readonly id: string;
  readonly parent?: OverlayLayer | undefined;
  readonly root: DirectoryAttributes;
  /** Who owns the layer's directory itself. */
  readonly owner: Owner;
  /** Puts the layer's content at that path: a new directory, or a staged one that is renamed. */
  readonly placeDiff: (path: string) => void;
  readonly onWarning: WarningHandler;
}

/** Makes the directory of a layer with all that mounting it needs; all of it or nothing. */
export function makeLayer(home: OverlayHome, layer: NewLayer): void {
  const { id, parent, root } = layer;
  removeLeftOver(home, id, layer.onWarning);
  const paths = home.layer(id);
  const inner = { ...root, mode: PRIVATE_MODE };
  try {
    makeDirectory(paths.dir, { ...layer.owner, mode: PRIVATE_MODE });
    makeDirectory(paths.work, inner);
    makeDirectory(paths.merged, inner);
    if (parent === undefined) makeDirectory(paths.empty, inner);
    else writeLower(home, id, parent);
    layer.placeDiff(paths.diff);
    makeShortLink(home, id);
  } catch (error) {
    cleanUpAfterFailure(paths.dir, layer.onWarning, () => deleteLayer(home, id));
    throw wrapSystemError(error, `making layer "${id}" in ${paths.dir}`, 'IO', {
      object: id,
      path: paths.dir,
    });
  }
}

/** Moves a layer and its short link into `temp`. A missing piece is fine. */
export function stageLayerRemoval(home: OverlayHome, id: string, temp: TempDir): void {
  const paths = home.layer(id);
  for (const name of shortLinksOf(home, id)) temp.stageDeletion(home.shortLink(name));
  temp.stageDeletion(paths.dir);
}

/**
 * A directory without a record is what an interrupted program left. Its short link goes too, so that
 * never two links lead to one layer.
 */
function removeLeftOver(home: OverlayHome, id: string, onWarning: WarningHandler): void {
  const { dir } = home.layer(id);
  if (lstatSync(dir, { throwIfNoEntry: false }) === undefined) return;
  onWarning({
    code: 'DEBRIS_REMOVED',
    message: `removed ${dir}, which an interrupted program left, to make layer "${id}"`,
    object: id,
    path: dir,
  });
  deleteLayer(home, id);
}

/** Deletes a layer at once, with its short links. */
export function deleteLayer(home: OverlayHome, id: string): void {
  for (const name of shortLinksOf(home, id)) rmSync(home.shortLink(name), { force: true });
  removeTree(home.layer(id).dir);
}
