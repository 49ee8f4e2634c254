import { join } from 'node:path';
import { LayerHomes, type PlacedLayer } from '../layerHomes.ts';
import { type LayerPaths, OverlayHome } from './overlayHome.ts';

/** A layer that exists, in one of the homes that the overlay driver looks into. */
export type OverlayLayer = PlacedLayer<OverlayHome>;

export interface OverlayRoots {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly imageStore?: string | undefined;
  readonly imageStores: readonly string[];
}

/** The homes of the overlay driver, and where their layers are mounted. */
export class OverlayHomes extends LayerHomes<OverlayHome> {
  readonly #runHome: string;

  constructor(roots: OverlayRoots) {
    super(roots, (root) => new OverlayHome(join(root, 'overlay')));
    this.#runHome = join(roots.runRoot, 'overlay');
  }

  /** Paths of a layer; one that does not lie in the home of the graph root is mounted below the run root. */
  pathsOf({ id, home, place }: OverlayLayer): LayerPaths {
    const paths = home.layer(id);
    return place === 'own' ? paths : { ...paths, merged: join(this.#runHome, id, 'merged') };
  }
}
