import { join } from 'node:path';
import { importOurs } from '../commands.js';
import { overlayDirectories } from '../evidence/overlayDirectories.js';
import { runHelper } from '../helperProgram.js';
import { makePlace } from '../place.js';
import { MEMORY_MB } from './importScenes.js';
import { ProofFailure } from './scene.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('../images/largeLayout.js').LargeLayer} LargeLayer
 */

/** What counts as linear: more, and it takes longer for each unit the more there are. */
const LINEAR = 1.2;
const FEW_MEGABYTES = 200;
const FEW_FILES = 50_000;
/** More than the largest layer has files. */
const INODES = 1_000_000;

/** @type {Scene[]} */
export const scaleScenes = [
  scaleScene({ kind: 'bytes', count: 4_000, quick: false, seconds: { once: 15, pair: 30 } }),
  scaleScene({ kind: 'files', count: 10_000, quick: false, seconds: { once: 3, pair: 8 } }),
  scaleScene({ kind: 'files', count: 100_000, quick: false, seconds: { once: 6, pair: 15 } }),
  scaleScene({ kind: 'files', count: 500_000, quick: false, seconds: { once: 25, pair: 45 } }),
];

/**
 * Ours alone, with one layer and with another one of the same kind: linear means the same time per unit.
 *
 * @param {LargeLayer & Pick<Scene, 'quick' | 'seconds'>} parameters
 * @returns {Scene}
 */
function scaleScene({ kind, count, quick, seconds }) {
  const few = kind === 'bytes' ? FEW_MEGABYTES : FEW_FILES;
  const unit = kind === 'bytes' ? 'MB' : 'file';
  const title = (/** @type {number} */ n) =>
    kind === 'bytes' ? `${n.toLocaleString('en')} MB` : `${n.toLocaleString('en')} files`;
  return {
    name: `scale-${kind}-${count}`,
    summary: `import of one layer of ${title(count)} (oci, gzip, overlay) against one of ${title(few)}, times per ${unit}`,
    ours: title(count),
    peer: title(few),
    peerIsOurs: true,
    units: { name: unit, ours: count, peer: few },
    compared: 'what is missing of files and bytes',
    needs: ['find'],
    quick,
    targets: { ...(count > few ? { wall: LINEAR } : {}), memoryMB: MEMORY_MB },
    seconds,
    prepare: async (bench) => {
      const layouts = {
        ours: bench.images.largeLayout({ kind, count }),
        peer: bench.images.largeLayout({ kind, count: few }),
      };
      return {
        run: (side) => {
          const place = makePlace(bench.scratch, { inodes: INODES });
          const expected = side === 'ours' ? count : few;
          return {
            command: importOurs(place, 'overlay', layouts[side]),
            evidence: () => missingFiles(place.graphRoot, { kind, count: expected }),
            dispose: place.dispose,
          };
        },
      };
    },
  };
}

/**
 * That all digests are verified is shown by other scenes; here, that all files are there.
 *
 * @param {string} graphRoot
 * @param {LargeLayer} layer
 * @returns {string[]} the same for every layer that is whole
 * @throws {ProofFailure}
 */
function missingFiles(graphRoot, { kind, count }) {
  const [tree = ''] = overlayDirectories(graphRoot);
  const sizes = runHelper('find', [join(tree, 'srv'), '-type', 'f', '-printf', '%s\n'])
    .trimEnd()
    .split('\n');
  const bytes = sizes.reduce((sum, size) => sum + Number(size), 0);
  const short = kind === 'bytes' ? count * 1e6 - bytes : 0;
  if (sizes.length !== count || short !== 0) {
    throw new ProofFailure(`${sizes.length} files of ${bytes} bytes were unpacked instead of ${count} files`);
  }
  return ['files missing: 0', `bytes missing: ${short}`];
}
