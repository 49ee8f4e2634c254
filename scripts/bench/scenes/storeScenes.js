import { join } from 'node:path';
import { importOurs, sediment } from '../commands.js';
import { traceRecordAccess } from '../evidence/recordAccess.js';
import { listTree, withoutRootTime } from '../evidence/treeListing.js';
import { runCommand, runHelper } from '../helperProgram.js';
import { makeLargeStore } from '../largeStore.js';
import { makePlace } from '../place.js';
import { MEMORY_MB, mergedTree } from './importScenes.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('./scene.js').Bench} Bench
 * @typedef {import('../place.js').Place} Place
 */

const PAIRS = 9;
const FEW_LAYERS = 10;
const IMAGE = 'few-layers';

/** @type {Scene[]} */
export const storeScenes = [storeScene(1_000), storeScene(10_000)];

/**
 * Adding a small image to a store that has many layers, against one that has few.
 *
 * @param {number} count
 * @returns {Scene}
 */
function storeScene(count) {
  return {
    name: `scale-store-${count}`,
    summary: `adding a small image to a store of ${count.toLocaleString('en')} layers, against one of ${FEW_LAYERS}`,
    ours: `${count.toLocaleString('en')} layers`,
    peer: `${FEW_LAYERS} layers`,
    peerIsOurs: true,
    compared: 'trees',
    needs: ['podman', 'strace'],
    quick: false,
    pairsAtLeast: PAIRS,
    targets: { memoryMB: MEMORY_MB, counts: 1 },
    seconds: { once: 15, pair: 2 },
    prepare: async (bench) => {
      const archive = bench.images.archive(IMAGE, 'oci-gzip');
      const stores = { ours: makeStore(bench, count), peer: makeStore(bench, FEW_LAYERS) };
      const name = bench.images.name(IMAGE);
      return {
        run: (side) => {
          const place = stores[side];
          return {
            command: importOurs(place, 'overlay', archive),
            evidence: () => withoutRootTime(listTree(mergedTree(place, 'overlay', name))),
            dispose: () => removeImage(place, name),
          };
        },
        count: () => {
          const access = traceRecordAccess(importOurs(stores.ours, 'overlay', archive), {
            file: '/overlay-layers/layers.json',
            trace: join(bench.scratch, 'trace'),
          });
          return [
            { what: 'reads of layers.json', value: access.reads },
            { what: 'writes of layers.json', value: access.writes },
          ];
        },
        dispose: () => {
          for (const store of Object.values(stores)) store.dispose();
        },
      };
    },
  };
}

/**
 * @param {Bench} bench
 * @param {number} count of layers
 */
function makeStore(bench, count) {
  const place = makePlace(bench.scratch);
  makeLargeStore(place, count);
  // else the first sync of the run would write all of this
  runHelper('sync', ['--file-system', place.path]);
  return place;
}

/**
 * @param {Place} place
 * @param {string} name
 */
function removeImage(place, name) {
  runCommand(sediment(place, 'overlay', ['rmi', '--force', name]));
  runHelper('sync', ['--file-system', place.path]);
}
