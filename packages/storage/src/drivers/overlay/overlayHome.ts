import { join } from 'node:path';
import { LayerDirectories } from '../layerDirectories.ts';

/** Names in the home that are no layers. */
const LINKS = 'l';
const NOT_LAYERS = [LINKS, 'staging', 'tempdirs', 'backingFsBlockDev'];

/** Paths of one layer; none need exist. */
export interface LayerPaths {
  readonly dir: string;
  /** The content of the layer itself. */
  readonly diff: string;
  /** File with the name of the layer's short link. */
  readonly link: string;
  /** File with the lower layers, nearest first; a base layer has none. */
  readonly lower: string;
  /** Stands in for the lower layers of a base layer. */
  readonly empty: string;
  readonly work: string;
  readonly merged: string;
  /** Mount points of homes with other ids, while the layer is being mounted. */
  readonly mapped: string;
}

/** The tree of the overlay driver (on-disk format: `<graph root>/overlay`). */
export class OverlayHome {
  readonly path: string;
  readonly layers: LayerDirectories;

  constructor(path: string) {
    this.path = path;
    this.layers = new LayerDirectories(path, NOT_LAYERS);
  }

  /** Directory of the short links. */
  get links(): string {
    return join(this.path, LINKS);
  }

  /** The short link of that name. */
  shortLink(name: string): string {
    return join(this.path, LINKS, name);
  }

  layer(id: string): LayerPaths {
    const dir = this.layers.path(id);
    return {
      dir,
      diff: join(dir, 'diff'),
      link: join(dir, 'link'),
      lower: join(dir, 'lower'),
      empty: join(dir, 'empty'),
      work: join(dir, 'work'),
      merged: join(dir, 'merged'),
      mapped: join(dir, 'mapped'),
    };
  }
}

/** What a `lower` file says of a layer with that short link. */
export function lowerEntry(linkName: string): string {
  return `${LINKS}/${linkName}`;
}
