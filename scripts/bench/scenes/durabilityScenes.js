import { importOurs } from '../commands.js';
import { listTree, withoutRootTime } from '../evidence/treeListing.js';
import { IMAGE_TITLES } from '../images/imageRecipes.js';
import { makePlace } from '../place.js';
import { MEMORY_MB, mergedTree } from './importScenes.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('../images/imageLibrary.js').ImageKey} ImageKey
 */

/** @type {readonly { image: ImageKey, seconds: Scene['seconds'] }[]} */
const IMAGES = [
  { image: 'app', seconds: { once: 12, pair: 10 } },
  { image: 'base', seconds: { once: 5, pair: 5 } },
  { image: 'many-files', seconds: { once: 25, pair: 18 } },
];

/** @type {Scene[]} */
export const durabilityScenes = IMAGES.flatMap(({ image, seconds }) => [
  durabilityScene({ image, seconds, policy: 'ordered', quick: image === 'base', targets: { wall: 1.3 } }),
  durabilityScene({ image, seconds, policy: 'full', quick: false, targets: {} }),
]);

/**
 * @param {{ image: ImageKey, policy: 'ordered' | 'full' } & Pick<Scene, 'quick' | 'targets' | 'seconds'>} parameters
 * @returns {Scene}
 */
function durabilityScene({ image, policy, quick, targets, seconds }) {
  return {
    name: `durability-${image}-${policy}`,
    summary: `import of ${IMAGE_TITLES[image]} (oci-archive, gzip, overlay), --durability ${policy} against none`,
    ours: `sediment, ${policy}`,
    peer: 'sediment, none',
    peerIsOurs: true,
    compared: 'trees',
    needs: ['podman'],
    quick,
    targets: { ...targets, memoryMB: MEMORY_MB },
    seconds,
    prepare: async (bench) => {
      const archive = bench.images.archive(image, 'oci-gzip');
      return {
        run: (side) => {
          const place = makePlace(bench.scratch);
          const durability = side === 'ours' ? policy : 'none';
          return {
            command: importOurs(place, 'overlay', archive, durability),
            evidence: () => withoutRootTime(listTree(mergedTree(place, 'overlay', bench.images.name(image)))),
            dispose: place.dispose,
          };
        },
      };
    },
  };
}
