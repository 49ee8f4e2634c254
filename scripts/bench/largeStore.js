import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestBytes } from './images/digestFile.js';
import { hex } from './images/imageDocuments.js';

const CHAIN = 5;
const CREATED = '2024-01-01T00:00:00.123456789Z';
const MODE = { recursive: true, mode: 0o700 };

/**
 * Writes a store with very many layers, as if so many images of five layers each had been copied into it. What
 * lists layers cannot tell it from a real one: the records are complete and every layer has its directories, but
 * these are empty.
 *
 * @param {import('./place.js').Place} place
 * @param {number} count of layers
 * @returns {string} id of a layer in the middle
 */
export function makeLargeStore({ graphRoot }, count) {
  const ids = Array.from({ length: count }, (_, n) => hex(digestBytes(`layer ${n}`)));
  const home = join(graphRoot, 'overlay');
  mkdirSync(join(home, 'l'), MODE);
  ids.forEach((id, n) => {
    makeLayerDirectory(home, id, ids.slice(n - (n % CHAIN), n).reverse());
  });
  writeRecords(join(graphRoot, 'overlay-layers'), 'layers', ids.map(layerRecord));
  const tops = ids.filter((_, n) => n % CHAIN === CHAIN - 1);
  writeRecords(join(graphRoot, 'overlay-images'), 'images', tops.map(imageRecord));
  writeRecords(join(graphRoot, 'overlay-containers'), 'containers', []);
  writeFileSync(join(graphRoot, 'storage.lock'), '');
  return /** @type {string} */ (ids[count >> 1]);
}

/**
 * @param {string} home of the driver
 * @param {string} id
 * @param {readonly string[]} lower ids of the layers below, the nearest first
 */
function makeLayerDirectory(home, id, lower) {
  const directory = join(home, id);
  for (const name of ['diff', 'work', 'merged']) mkdirSync(join(directory, name), MODE);
  const link = linkName(id);
  symlinkSync(`../${id}/diff`, join(home, 'l', link));
  writeFileSync(join(directory, 'link'), link);
  if (lower.length > 0)
    writeFileSync(join(directory, 'lower'), lower.map((one) => `l/${linkName(one)}`).join(':'));
  else mkdirSync(join(directory, 'empty'), MODE);
}

/**
 * @param {string} id
 * @returns {string} 26 capital letters and digits, as the driver's short names are
 */
function linkName(id) {
  return id.slice(0, 26).toUpperCase();
}

/**
 * @param {string} id
 * @param {number} n
 * @param {readonly string[]} ids
 */
function layerRecord(id, n, ids) {
  return {
    id,
    ...(n % CHAIN === 0 ? {} : { parent: ids[n - 1] }),
    created: CREATED,
    'compressed-diff-digest': digestBytes(`blob ${n}`),
    'compressed-size': 10_000 + n,
    'diff-digest': digestBytes(`tar ${n}`),
    'diff-size': 51_200 + 512 * n,
    compression: 2,
    uidset: [0],
    gidset: [0],
  };
}

/**
 * @param {string} layer id of the topmost one
 * @param {number} n
 */
function imageRecord(layer, n) {
  const manifest = digestBytes(`manifest ${n}`);
  return {
    id: hex(digestBytes(`image ${n}`)),
    digest: manifest,
    names: [`localhost/image-${n}:1`],
    layer,
    metadata: '{}',
    created: CREATED,
  };
}

/**
 * @param {string} directory to make
 * @param {string} name of the file, without its ending
 * @param {readonly object[]} records
 */
function writeRecords(directory, name, records) {
  mkdirSync(directory, MODE);
  writeFileSync(join(directory, `${name}.json`), JSON.stringify(records), { mode: 0o600 });
  writeFileSync(join(directory, `${name}.lock`), '');
}
