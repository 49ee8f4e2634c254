import { importOurs, podman, skopeo, storeReference, umoci } from '../commands.js';
import { asPlainDirectory, listTree, withoutRootTime } from '../evidence/treeListing.js';
import { runCommand } from '../helperProgram.js';
import { IMAGE_TITLES } from '../images/imageRecipes.js';
import { makePlace } from '../place.js';
import { proveRefusal } from './refusal.js';

/**
 * @typedef {import('./scene.js').Scene} Scene
 * @typedef {import('./scene.js').Bench} Bench
 * @typedef {import('../images/imageLibrary.js').Form} Form
 * @typedef {import('../images/imageLibrary.js').ImageKey} ImageKey
 * @typedef {import('../commands.js').Driver} Driver
 * @typedef {import('../place.js').Place} Place
 * @typedef {'skopeo' | 'podman' | 'umoci'} Importer
 */

/**
 * @typedef {object} ImportScene
 * @property {ImageKey} image
 * @property {Form} form
 * @property {Importer} peer
 * @property {Driver} [driver]
 * @property {boolean} [quick]
 * @property {import('../verdicts.js').Targets} [targets]
 * @property {Scene['seconds']} seconds
 */

/** @type {Record<Importer, string>} */
const PEER_COMMANDS = { skopeo: 'skopeo copy', podman: 'podman load', umoci: 'umoci unpack' };
/** @type {Record<Form, string>} */
const FORM_TITLES = {
  'oci-gzip': 'oci-archive, gzip',
  'oci-zstd': 'oci-archive, zstd',
  'oci-none': 'oci-archive, plain',
  'docker-none': 'docker-archive, plain',
};
const CPU = 0.45;
/** What an import may need at most, whatever the image. */
export const MEMORY_MB = 160;

/** @type {ImportScene[]} */
const IMPORTS = [
  {
    image: 'many-layers',
    form: 'oci-gzip',
    peer: 'skopeo',
    quick: true,
    targets: { wall: 0.35 },
    seconds: { once: 4, pair: 7 },
  },
  {
    image: 'app',
    form: 'oci-gzip',
    peer: 'skopeo',
    quick: true,
    targets: { wall: 0.35 },
    seconds: { once: 20, pair: 16 },
  },
  {
    image: 'app',
    form: 'docker-none',
    peer: 'skopeo',
    targets: { wall: 0.35 },
    seconds: { once: 20, pair: 12 },
  },
  { image: 'app', form: 'oci-zstd', peer: 'skopeo', seconds: { once: 20, pair: 14 } },
  { image: 'base', form: 'oci-gzip', peer: 'skopeo', targets: { wall: 0.4 }, seconds: { once: 8, pair: 7 } },
  {
    image: 'base',
    form: 'docker-none',
    peer: 'skopeo',
    targets: { wall: 0.4 },
    seconds: { once: 8, pair: 6 },
  },
  {
    image: 'many-files',
    form: 'oci-gzip',
    peer: 'skopeo',
    quick: true,
    targets: { wall: 0.45 },
    seconds: { once: 35, pair: 22 },
  },
  { image: 'app', form: 'oci-gzip', peer: 'podman', targets: { wall: 0.3 }, seconds: { once: 20, pair: 18 } },
  {
    image: 'app',
    form: 'docker-none',
    peer: 'podman',
    targets: { wall: 0.3 },
    seconds: { once: 20, pair: 16 },
  },
  { image: 'app', form: 'oci-gzip', peer: 'umoci', targets: { wall: 0.3 }, seconds: { once: 20, pair: 16 } },
  { image: 'app', form: 'oci-gzip', peer: 'skopeo', driver: 'vfs', seconds: { once: 40, pair: 60 } },
  { image: 'base', form: 'docker-none', peer: 'skopeo', driver: 'vfs', seconds: { once: 8, pair: 8 } },
];

/** @type {Scene[]} */
export const importScenes = IMPORTS.map(importScene);

/**
 * @param {ImportScene} parameters
 * @returns {Scene}
 */
function importScene({ image, form, peer, driver = 'overlay', quick = false, targets = {}, seconds }) {
  const cpu = peer === 'skopeo' && driver === 'overlay' ? { cpu: CPU } : {};
  return {
    name: ['import', image, form, ...(driver === 'vfs' ? ['vfs'] : []), peer].join('-'),
    summary: `import of ${IMAGE_TITLES[image]} (${FORM_TITLES[form]}, ${driver}) against ${PEER_COMMANDS[peer]}`,
    ours: 'sediment import',
    peer: PEER_COMMANDS[peer],
    compared: 'trees',
    needs: [...new Set([peer, 'podman', ...(form === 'oci-zstd' ? ['zstd'] : [])])],
    quick,
    targets: { ...targets, ...cpu, memoryMB: MEMORY_MB },
    seconds,
    prepare: async (bench) => {
      const comparable = peer === 'umoci' ? asPlainDirectory : withoutRootTime;
      const archive = bench.images.archive(image, form);
      const name = bench.images.name(image);
      const layout = peer === 'umoci' ? bench.images.layout(image, 'gzip') : '';
      return {
        run: (side) => {
          const place = makePlace(bench.scratch);
          const { command, tree } =
            side === 'ours'
              ? { command: importOurs(place, driver, archive), tree: () => mergedTree(place, driver, name) }
              : importPeer(peer, {
                  place,
                  driver,
                  archive,
                  name,
                  layout,
                });
          return { command, evidence: () => comparable(listTree(tree())), dispose: place.dispose };
        },
        prove: () => proveRefusal(bench, archive, driver),
      };
    },
  };
}

/**
 * @param {Importer} peer
 * @param {{ place: Place, driver: Driver, archive: string, name: string, layout: string }} run `layout`: umoci reads
 *   no archives, so it is spared that step
 * @returns {{ command: import('./scene.js').Command, tree: () => string }} `tree`: the directory to look at afterwards
 */
function importPeer(peer, { place, driver, archive, name, layout }) {
  const tree = () => mergedTree(place, driver, name);
  if (peer === 'podman')
    return { command: podman(place, driver, ['load', '--quiet', '--input', archive]), tree };
  if (peer === 'skopeo') return { command: skopeoImport(place, { driver, archive, name }), tree };
  const bundle = `${place.path}/bundle`;
  return {
    command: umoci(place, ['unpack', '--image', `${layout}:${name}`, bundle]),
    tree: () => `${bundle}/rootfs`,
  };
}

/**
 * @param {Place} place
 * @param {{ driver: Driver, archive: string, name: string }} image
 */
export function skopeoImport(place, { driver, archive, name }) {
  const transport = archive.includes('/docker-') ? 'docker-archive' : 'oci-archive';
  return skopeo(place, ['copy', '--quiet', `${transport}:${archive}`, storeReference(place, driver, name)]);
}

/**
 * Both stores are looked at through podman, so that ours has to be one that podman understands.
 *
 * @param {Place} place
 * @param {Driver} driver
 * @param {string} name
 */
export function mergedTree(place, driver, name) {
  return runCommand(podman(place, driver, ['image', 'mount', name])).trim();
}
