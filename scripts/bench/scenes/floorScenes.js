import { join } from 'node:path';
import { importOurs, untar } from '../commands.js';
import { overlayDirectories } from '../evidence/overlayDirectories.js';
import { listTree, withoutDeletions } from '../evidence/treeListing.js';
import { IMAGE_TITLES } from '../images/imageRecipes.js';
import { makePlace } from '../place.js';
import { MEMORY_MB } from './importScenes.js';
import { proveRefusal } from './refusal.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('../images/imageLibrary.js').ImageKey} ImageKey
 * @typedef {import('../place.js').Place} Place
 */

/** @type {Scene[]} */
export const floorScenes = [
  floorScene({
    image: 'app',
    compression: 'gzip',
    quick: true,
    targets: { wall: 1 },
    seconds: { once: 15, pair: 9 },
  }),
  floorScene({
    image: 'app',
    compression: 'none',
    quick: false,
    targets: {},
    seconds: { once: 15, pair: 7 },
  }),
  floorScene({
    image: 'many-files',
    compression: 'none',
    quick: true,
    targets: { wall: 1.8 },
    seconds: { once: 30, pair: 14 },
  }),
];

/**
 * @param {{ image: ImageKey, compression: 'gzip' | 'none' } &
 *   Pick<Scene, 'quick' | 'targets' | 'seconds'>} parameters
 * @returns {Scene}
 */
function floorScene({ image, compression, quick, targets, seconds }) {
  const peer = compression === 'gzip' ? 'pigz -dc | tar -xp' : 'tar -xp';
  const form = compression === 'gzip' ? 'oci-gzip' : 'oci-none';
  return {
    name: `floor-${image}-${compression}`,
    summary: `import of ${IMAGE_TITLES[image]} (oci-archive, ${compression === 'gzip' ? 'gzip' : 'plain'}, overlay) against the floor, ${peer} of its layers`,
    ours: 'sediment import',
    peer,
    compared: 'trees of all layers, without attributes and marks of deletions',
    needs: ['tar', 'pigz'],
    quick,
    targets: { ...targets, memoryMB: MEMORY_MB },
    seconds,
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
