import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkoutRoot } from '../../lib/checkout.js';
import { runCommand } from '../helperProgram.js';
import { makeLargeStore } from '../largeStore.js';
import { makePlace } from '../place.js';
import { ProofFailure } from './scene.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('../measure.js').Command} Command
 * @typedef {import('../place.js').Place} Place
 */

const PAIRS = 15;
const LAYERS = 10;
const STORAGE = pathToFileURL(join(checkoutRoot, 'packages/storage/dist/index.js')).href;
const IMPORT = `const { openStore } = await import(${JSON.stringify(STORAGE)});`;
/** Native code that Node.js loads is mapped under this ending. */
const SHOW_NATIVE_CODE = `
const { readFileSync } = await import('node:fs');
console.log([...new Set(readFileSync('/proc/self/maps', 'utf8').match(/\\S+\\.node$/gm))].join(' '));`;

/** @type {Scene[]} */
export const embedScenes = [
  embedScene('embed-import', "import('@sediment/storage')", () => IMPORT),
  embedScene('embed-open', 'opening a store and listing its layers', (place) => openScript(place, 'shared')),
  embedScene(
    'embed-snapshot',
    'the same as a snapshot',
    (place) => openScript(place, 'snapshot'),
    proveNoNativeCode,
  ),
];

/**
 * What a program pays for the library, against an ES module that does nothing.
 *
 * @param {string} name
 * @param {string} title
 * @param {(place: Place) => string} script
 * @param {(place: Place) => string} [prove]
 * @returns {Scene}
 */
function embedScene(name, title, script, prove) {
  return {
    name,
    summary: `${title} against an ES module that does nothing`,
    ours: 'with @sediment/storage',
    peer: 'node',
    compared: undefined,
    needs: [],
    quick: false,
    pairsAtLeast: PAIRS,
    targets: {},
    seconds: { once: 2, pair: 0.5 },
    prepare: async (bench) => {
      const place = makePlace(bench.scratch);
      makeLargeStore(place, LAYERS);
      return {
        run: (side) => ({
          command: nodeModule(place, side === 'ours' ? script(place) : '0'),
          evidence: () => [],
          dispose: () => undefined,
        }),
        ...(prove === undefined ? {} : { prove: async () => prove(place) }),
        dispose: place.dispose,
      };
    },
  };
}

/**
 * @param {Place} place
 * @param {string} script
 * @returns {Command}
 */
function nodeModule({ env }, script) {
  return { program: process.execPath, args: ['--input-type=module', '--eval', script], env };
}

/**
 * @param {Place} place
 * @param {'shared' | 'snapshot'} access
 */
function openScript({ graphRoot, runRoot }, access) {
  const options = JSON.stringify({ graphRoot, runRoot, driver: 'overlay', access });
  return `${IMPORT}
const store = await openStore(${options});
const { length } = await store.layers.list();
await store.close();
if (length !== ${LAYERS}) throw new Error(length + ' layers');`;
}

/**
 * @param {Place} place
 * @returns {string}
 * @throws {ProofFailure}
 */
function proveNoNativeCode(place) {
  const loaded = (/** @type {'shared' | 'snapshot'} */ access) =>
    runCommand(nodeModule(place, openScript(place, access) + SHOW_NATIVE_CODE)).trim();
  if (loaded('shared') === '') throw new ProofFailure('native code is not seen where it has to be');
  const native = loaded('snapshot');
  if (native !== '') throw new ProofFailure(`a snapshot loads native code: ${native}`);
  return 'a snapshot loads no native code';
}
