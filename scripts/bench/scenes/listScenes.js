import { containersStorage, sediment } from '../commands.js';
import { makeLargeStore } from '../largeStore.js';
import { makePlace } from '../place.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('./scene.js').Run} Run
 */

const PAIRS = 9;

/** @type {Scene[]} */
export const listScenes = [1_000, 10_000].flatMap((count) => [
  listScene(count, { targets: count === 10_000 ? { wall: 1.2 } : {} }),
  openScene(count),
  tableScene(count),
]);

/**
 * @param {number} count
 * @param {{ targets: import('../verdicts.js').Targets }} options
 * @returns {Scene}
 */
function listScene(count, { targets }) {
  return storeScene(count, {
    name: `list-${count}`,
    summary: `listing ${count.toLocaleString('en')} layers: containers-storage layers of ours against the Go program`,
    ours: 'ours',
    compared: 'output',
    targets,
    run: (place) => (side) => ({
      command: containersStorage(side, place, ['layers']),
      evidence: (stdout) => stdout.split('\n').sort(),
      dispose: () => undefined,
    }),
  });
}

/**
 * @param {number} count
 * @returns {Scene}
 */
function openScene(count) {
  return storeScene(count, {
    name: `open-${count}`,
    summary: `opening a store of ${count.toLocaleString('en')} layers to show one: containers-storage layer of ours against the Go program`,
    ours: 'ours',
    compared: 'output',
    targets: {},
    run: (place, layer) => (side) => ({
      command: containersStorage(side, place, ['layer', layer]),
      evidence: (stdout) => stdout.split('\n'),
      dispose: () => undefined,
    }),
  });
}

/**
 * @param {number} count
 * @returns {Scene}
 */
function tableScene(count) {
  return storeScene(count, {
    name: `list-${count}-sediment`,
    summary: `listing ${count.toLocaleString('en')} layers: sediment layers against the Go containers-storage`,
    ours: 'sediment layers',
    compared: 'ids',
    targets: {},
    run: (place) => (side) => ({
      command:
        side === 'ours'
          ? sediment(place, 'overlay', ['layers', '--no-trunc'])
          : containersStorage('peer', place, ['layers']),
      evidence: (stdout) => [...new Set(stdout.match(/^[0-9a-f]{64}\b/gm))].sort(),
      dispose: () => undefined,
    }),
  });
}

/**
 * @param {number} count of layers
 * @param {Pick<Scene, 'name' | 'summary' | 'ours' | 'compared' | 'targets'> &
 *   { run: (place: import('../place.js').Place, layer: string) => (side: import('./scene.js').Side) => Run }} parameters
 * @returns {Scene}
 */
function storeScene(count, { run, ...scene }) {
  return {
    ...scene,
    peer: 'Go containers-storage',
    needs: ['containers-storage'],
    quick: scene.targets.wall !== undefined,
    pairsAtLeast: PAIRS,
    seconds: { once: count / 2000, pair: 1 },
    prepare: async (bench) => {
      const place = makePlace(bench.scratch);
      const layer = makeLargeStore(place, count);
      return { run: run(place, layer), dispose: place.dispose };
    },
  };
}
