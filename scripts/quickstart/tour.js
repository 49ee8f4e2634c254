import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './images.js';
import { cat, jq, json, list, pick } from './look.js';
import { output, say, step, typed } from './narrator.js';
import { promise } from './promise.js';

/**
 * @typedef {object} Store
 * @property {string} graph the graph root
 * @property {'overlay' | 'vfs'} driver
 */

/** @typedef {{ id: string, names: string[], layer: string, digest: string, 'big-data-names': string[] }} ImageRecord */
/** @typedef {{ id: string, parent?: string, 'diff-digest': string, 'compressed-diff-digest': string }} LayerRecord */

/**
 * The image records and a manifest.
 *
 * @param {Store} store
 * @param {string} name of the image to look at
 * @returns {ImageRecord}
 */
export function showImages({ graph, driver }, name) {
  step('How the store keeps images');
  const file = `${driver}-images/images.json`;
  const records = /** @type {ImageRecord[]} */ (json(graph, file));
  const keys = ['id', 'digest', 'names', 'layer', 'big-data-names'];
  say(
    'The id of an image is the digest of its config, "digest" that of its manifest, "layer" its top layer. ' +
      'podman reads and writes the same file.',
  );
  const shown = records.map((record) => pick(/** @type {any} */ (record), keys));
  jq(file, `.[] | {${keys.map((key) => (key.includes('-') ? `"${key}"` : key)).join(', ')}}`, shown);
  const image = records.find(({ names }) => names.includes(name));
  promise(image, `images.json has a record with the name ${name}`);
  say('');
  say('The documents themselves ("big data") lie beside it, byte for byte as they came:');
  const directory = `${driver}-images/${image.id}`;
  const config = `=${Buffer.from(`sha256:${image.id}`).toString('base64')}`;
  list(graph, directory, { manifest: 'the manifest', [config]: 'the config: base64 of its digest' });
  const manifest = readFileSync(join(graph, directory, 'manifest'));
  promise(sha256(manifest) === image.digest, 'the manifest has the digest of the record');
  jq(`${directory}/manifest`, '.layers', JSON.parse(manifest.toString()).layers);
  return image;
}

/**
 * The layer records: both digests and the chain of parents.
 *
 * @param {Store} store
 * @param {ImageRecord} image
 * @returns {LayerRecord[]} the chain of the image, base first
 */
export function showLayers({ graph, driver }, image) {
  step('How the store keeps layers');
  const file = `${driver}-layers/layers.json`;
  const records = /** @type {LayerRecord[]} */ (json(graph, file));
  const chain = chainOf(records, image.layer);
  say(
    'Each layer has two digests: of the blob as it came (compressed-diff-digest), and of the plain tar ' +
      '(diff-digest, the DiffID). "parent" is the layer below. The layers of the OCI archive:',
  );
  const keys = ['id', 'parent', 'compressed-diff-digest', 'compressed-size', 'diff-digest', 'diff-size'];
  jq(
    file,
    '.[] | {id, parent, …}',
    chain.map((layer) => pick(/** @type {any} */ (layer), keys)),
  );
  const [base, ...others] = chain;
  promise(`sha256:${base?.id}` === base?.['diff-digest'], 'the id of a base layer is its DiffID');
  for (const { id, parent, 'diff-digest': diffID } of others) {
    const derived = createHash('sha256')
      .update(`${parent}+${diffID.slice(7)}`)
      .digest('hex');
    promise(id === derived, 'the id of a layer is the hash of its parent and its DiffID');
  }
  say('');
  say(
    'The id of the base layer is its DiffID; every other id is the sha256 of "<parent\'s id>+<DiffID>". So ' +
      'images that begin with the same layers share them, whichever program brought them.',
  );
  list(graph, `${driver}-layers`, {
    'layers.json': 'the records',
    [`${base?.id}.tar-split.gz`]: 'what is needed to make the exact tar again',
  });
  return chain;
}

/**
 * @param {LayerRecord[]} records
 * @param {string | undefined} top
 * @returns {LayerRecord[]} base first
 */
function chainOf(records, top) {
  const layer = records.find(({ id }) => id === top);
  if (layer === undefined) return [];
  return [...(layer.parent === undefined ? [] : chainOf(records, layer.parent)), layer];
}

/**
 * The directories of the overlay driver.
 *
 * @param {Store} store
 * @param {LayerRecord[]} chain
 */
export function showOverlayLayers({ graph }, chain) {
  step('What a layer is on disk');
  const [base, ...others] = chain.map(({ id }) => id);
  const top = others.at(-1);
  promise(base && top, 'the image has several layers');
  say('The base layer:');
  list(graph, `overlay/${base}`, {
    diff: 'its files',
    link: 'its short name',
    work: 'scratch space of the kernel',
    empty: 'stands in as lower directory: there is no layer below',
  });
  list(graph, `overlay/${base}/diff`);
  say('');
  say('The top layer has "lower" instead of "empty": the short names of the layers below it, nearest first.');
  list(graph, `overlay/${top}`, { diff: 'its files', lower: 'the layers below', link: 'its short name' });
  const lower = cat(graph, `overlay/${top}/lower`).split(':');
  promise(lower.length === others.length, '"lower" names each layer below');
  say('');
  say('Short names, since the kernel takes all of them in one page of text. They are links:');
  list(graph, 'overlay/l');
  const link = readFileSync(join(graph, `overlay/${base}/link`), 'utf8');
  promise(readlinkSync(join(graph, 'overlay/l', link)) === `../${base}/diff`, 'the link leads to the layer');
  promise(lower.at(-1) === `l/${link}`, 'the last lower layer is the base');
  say('');
  say('The top layer deletes /etc/motd: a device 0:0 of that name hides the file below ("whiteout").');
  list(graph, `overlay/${top}/diff/etc`);
  const whiteout = lstatSync(join(graph, `overlay/${top}/diff/etc/motd`));
  promise(whiteout.isCharacterDevice() && whiteout.rdev === 0, 'the whiteout is a device 0:0');
}

/**
 * The trees of the vfs driver.
 *
 * @param {Store} store
 * @param {LayerRecord[]} chain
 */
export function showVfsLayers({ graph }, chain) {
  step('What a layer is on disk');
  const ids = chain.map(({ id }) => id);
  say('With vfs, each layer is a complete tree: a copy of the one below, changed. That needs no mounts.');
  list(graph, 'vfs/dir', { [ids[0] ?? '']: 'the base layer', [ids.at(-1) ?? '']: 'the top layer' });
  list(graph, `vfs/dir/${ids[0]}/etc`, { motd: 'the base layer has it' });
  list(graph, `vfs/dir/${ids.at(-1)}/etc`);
  const gone = !existsSync(join(graph, `vfs/dir/${ids.at(-1)}/etc/motd`));
  promise(gone, 'the top layer has no /etc/motd, which it deletes');
  say('');
  say('The whiteout of the top layer has deleted its copy of /etc/motd.');
}

/**
 * The container's record, and the file that was written in it.
 *
 * @param {Store} store
 * @param {string} containerId
 * @param {string} written path of the file in the container
 * @returns {string} the container's layer
 */
export function showContainer({ graph, driver }, containerId, written) {
  step('How the store keeps containers');
  const file = `${driver}-containers/containers.json`;
  const record = json(graph, file).find((/** @type {{ id: string }} */ { id }) => id === containerId);
  promise(record, 'containers.json has the container');
  jq(file, '.[] | {id, names, image, layer}', pick(record, ['id', 'names', 'image', 'layer']));
  say('');
  say(
    'The program that runs it gets a directory beside that, where podman keeps its config; nothing has run it yet:',
  );
  list(graph, `${driver}-containers`, {
    'containers.json': 'the record above',
    'containers.lock': 'held while it is read or written',
  });
  say('');
  const tree = driver === 'overlay' ? `overlay/${record.layer}/diff` : `vfs/dir/${record.layer}`;
  say(
    driver === 'overlay'
      ? 'What the container writes goes into the "diff" of its own layer, and nowhere else:'
      : 'The container has a tree of its own, and what it writes is there:',
  );
  cat(graph, join(tree, written));
  return record.layer;
}

/**
 * No layer has the file but the container's own.
 *
 * @param {Store} store
 * @param {string} layer
 * @param {string} written
 */
export function showOnlyThere({ graph, driver }, layer, written) {
  const trees = driver === 'overlay' ? 'overlay/*/diff' : 'vfs/dir/*';
  const home = join(graph, driver === 'overlay' ? 'overlay' : 'vfs/dir');
  const inner = driver === 'overlay' ? 'diff' : '';
  const owners = readdirSync(home).filter((id) => existsSync(join(home, id, inner, written)));
  typed(`ls -d ${trees}${written}`);
  output(
    owners.map((id) => join(driver === 'overlay' ? 'overlay' : 'vfs/dir', id, inner, written)).join('\n'),
  );
  promise(owners.length === 1 && owners[0] === layer, 'only the layer of the container has the new file');
}
