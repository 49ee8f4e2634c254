import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { untar } from '../commands.js';
import { listTree, withoutDeletions } from '../evidence/treeListing.js';
import { IMAGE_TITLES } from '../images/imageRecipes.js';
import { makePlace } from '../place.js';
import { importOurs } from './importScenes.js';
import { proveRefusal } from './refusal.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('../images/imageLibrary.js').ImageKey} ImageKey
 * @typedef {import('../place.js').Place} Place
 */

/** @type {Scene[]} */
export const floorScenes = [
  floorScene({ image: 'app', compression: 'gzip', quick: true, targets: { wall: 1 } }),
  floorScene({ image: 'app', compression: 'none', quick: false, targets: {} }),
  floorScene({ image: 'many-files', compression: 'none', quick: true, targets: { wall: 1.8 } }),
];

/**
 * @param {{ image: ImageKey, compression: 'gzip' | 'none', quick: boolean, targets: import('../report.js').Targets }} parameters
 * @returns {Scene}
 */
function floorScene({ image, compression, quick, targets }) {
  const peer = compression === 'gzip' ? 'pigz -dc | tar -xp' : 'tar -xp';
  const form = compression === 'gzip' ? 'oci-gzip' : 'oci-none';
  return {
    name: `floor-${image}-${compression}`,
    summary: `import of ${IMAGE_TITLES[image]} (oci-archive, ${compression === 'gzip' ? 'gzip' : 'plain'}, overlay) against the floor, ${peer} of its layers`,
    ours: 'sediment import',
    peer,
    compared: 'trees of all layers, without marks of deletions',
    needs: ['tar', 'pigz'],
    quick,
    targets,
    prepare: async (bench) => {
      const archive = bench.images.archive(image, form);
      const layers = bench.images.layerFiles(image, compression);
      return {
        run: (side) => {
          const place = makePlace(bench.scratch);
          const trees =
            side === 'ours'
              ? () => overlayDirectories(place.graphRoot)
              : () => layers.map((_, n) => join(place.path, 'tree', String(n)));
          return {
            command:
              side === 'ours' ? importOurs(place, 'overlay', archive) : untar(place, layers, compression),
            evidence: () =>
              trees().flatMap((tree, n) => withoutDeletions(listTree(tree)).map((line) => `${n} ${line}`)),
            dispose: place.dispose,
          };
        },
        prove: () => proveRefusal(bench, archive, 'overlay'),
      };
    },
  };
}

/**
 * Where the driver keeps what each layer brings, from the lowest up.
 *
 * @param {string} graphRoot of a store with one image
 */
function overlayDirectories(graphRoot) {
  /** @type {{ id: string, parent?: string }[]} */
  const layers = JSON.parse(readFileSync(join(graphRoot, 'overlay-layers/layers.json'), 'utf8'));
  const above = new Map(layers.map(({ id, parent = '' }) => [parent, id]));
  const directories = [];
  for (let id = above.get(''); id !== undefined; id = above.get(id)) {
    directories.push(join(graphRoot, 'overlay', id, 'diff'));
  }
  return directories;
}
