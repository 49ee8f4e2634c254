import { PEER_PROGRAMS } from '../../lib/peerPrograms.js';
import { OUR_COMMANDS } from '../commands.js';
import { makePlace } from '../place.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 */

const PAIRS = 15;

/** @type {Scene[]} */
export const startScenes = [
  startScene({
    name: 'start-sediment',
    summary: 'sediment version against a node that does nothing',
    ours: 'sediment version',
    peer: 'node -e 0',
    program: process.execPath,
    args: ['-e', '0'],
    our: [OUR_COMMANDS.sediment, 'version'],
    targets: { wall: 1.6 },
    needs: [],
  }),
  startScene({
    name: 'start-containers-storage',
    summary: 'containers-storage version of ours against the Go program',
    ours: 'ours',
    peer: 'Go',
    program: PEER_PROGRAMS['containers-storage'],
    args: ['version'],
    our: [OUR_COMMANDS['containers-storage'], 'version'],
    targets: {},
    needs: ['containers-storage'],
  }),
];

/**
 * @param {Omit<Scene, 'compared' | 'quick' | 'seconds' | 'prepare'> & { program: string, args: string[], our: string[] }} parameters
 * @returns {Scene}
 */
function startScene({ program, args, our, ...scene }) {
  return {
    ...scene,
    compared: undefined,
    quick: scene.targets.wall !== undefined,
    pairsAtLeast: PAIRS,
    seconds: { once: 1, pair: 0.3 },
    prepare: async (bench) => {
      const { env, dispose } = makePlace(bench.scratch);
      return {
        run: (side) => ({
          command: side === 'ours' ? { program: process.execPath, args: our, env } : { program, args, env },
          evidence: () => [],
          dispose: () => undefined,
        }),
        dispose,
      };
    },
  };
}
