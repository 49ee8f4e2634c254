import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runHelper } from '../helperProgram.js';
import { digestFile } from '../images/digestFile.js';

/**
 * What an exported archive holds: the digest of the image's config, and of each layer's plain tar. All digests that
 * the archive states are verified on the way.
 *
 * @param {string} archive of either form
 * @param {'docker-archive' | 'oci-archive'} form
 * @param {string} scratch a directory to unpack into; made and removed
 * @returns {string[]}
 * @throws {Error} when a stated digest is wrong
 */
export function archiveEvidence(archive, form, scratch) {
  mkdirSync(scratch);
  try {
    runHelper('tar', ['--extract', `--file=${archive}`, `--directory=${scratch}`]);
    const { config, layers } = form === 'docker-archive' ? readDocker(scratch) : readOci(scratch);
    const digests = layers.map((layer) => plainDigest(layer, join(scratch, 'plain')));
    const stated = JSON.parse(readFileSync(config, 'utf8')).rootfs.diff_ids;
    if (JSON.stringify(stated) !== JSON.stringify(digests)) {
      throw new Error(`${archive}: layers ${digests.join(' ')}, but the config states ${stated.join(' ')}`);
    }
    return [`config ${digestFile(config)}`, ...digests.map((digest) => `layer ${digest}`)];
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/**
 * @typedef {{ config: string, layers: string[] }} ImageFiles paths, the lowest layer first
 */

/**
 * @param {string} directory
 * @returns {ImageFiles}
 */
function readDocker(directory) {
  const [item] = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
  const at = (/** @type {string} */ name) => join(directory, name);
  return { config: at(item.Config), layers: item.Layers.map(at) };
}

/**
 * @param {string} directory
 * @returns {ImageFiles}
 */
function readOci(directory) {
  const blob = (/** @type {{ digest: string }} */ { digest }) => {
    const path = join(directory, 'blobs', digest.replace(':', '/'));
    if (digestFile(path) !== digest) throw new Error(`blob ${digest} has the digest ${digestFile(path)}`);
    return path;
  };
  const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
  const manifest = JSON.parse(readFileSync(blob(index.manifests[0]), 'utf8'));
  return { config: blob(manifest.config), layers: manifest.layers.map(blob) };
}

/**
 * @param {string} layer gzip or plain
 * @param {string} plain file for the plain tar
 * @returns {string}
 */
function plainDigest(layer, plain) {
  const isGzip = readFileSync(layer)
    .subarray(0, 2)
    .equals(Buffer.from([0x1f, 0x8b]));
  if (!isGzip) return digestFile(layer);
  runHelper('sh', ['-c', 'gzip -dc "$1" >"$2"', 'sh', layer, plain]);
  return digestFile(plain);
}
