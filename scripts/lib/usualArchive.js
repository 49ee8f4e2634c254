import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { tarChunks } from './tarFile.js';

/** @typedef {import('./tarFile.js').Entry} Entry */

const OCI = 'application/vnd.oci.image';
const FILES = 300;
/** With {@link FILES} of them, two threads share a layer, compressed or not. */
const FILE_BYTES = 5000;

/**
 * Writes an oci-archive with one image, whose layers, a plain and a compressed one, hold what layers usually hold.
 *
 * @param {string} path
 */
export function writeUsualArchive(path) {
  const layers = [layerTar('base', []), layerTar('app', [{ type: 'file', name: 'base/.wh.file-0' }])];
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
      history: layers.map(() => ({ created: '2024-01-02T03:04:05Z', created_by: 'build' })),
    }),
  );
  /** @type {Map<string, Buffer>} */
  const blobs = new Map();
  /**
   * @param {string} type
   * @param {Buffer} bytes
   */
  const add = (type, bytes) => {
    blobs.set(digestOf(bytes), bytes);
    return { mediaType: `${OCI}.${type}`, digest: digestOf(bytes), size: bytes.length };
  };
  const [plain = Buffer.alloc(0), packed = plain] = layers;
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: add('config.v1+json', config),
    layers: [add('layer.v1.tar', plain), add('layer.v1.tar+gzip', gzipSync(packed, { level: 1 }))],
  };
  const descriptor = {
    ...add('manifest.v1+json', Buffer.from(JSON.stringify(manifest))),
    annotations: { 'org.opencontainers.image.ref.name': 'localhost/usual:1' },
  };
  writeFileSync(
    path,
    tarOf([
      file('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
      file('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }))),
      ...Array.from(blobs, ([digest, bytes]) => file(`blobs/${digest.replace(':', '/')}`, bytes)),
    ]),
  );
}

/**
 * @param {string} name of its directory
 * @param {Entry[]} more
 */
function layerTar(name, more) {
  /** @type {Entry[]} */
  const entries = [{ type: 'directory', name }];
  for (let index = 0; index < FILES; index += 1) {
    const path = `${name}/file-${index}`;
    const links = [
      { type: /** @type {const} */ ('symlink'), name: `${name}/symlink-${index}`, target: `file-${index}` },
      { type: /** @type {const} */ ('hardLink'), name: `${name}/link-${index}`, target: path },
      { type: /** @type {const} */ ('directory'), name: `${name}/directory-${index}`, mtime: '1700000000.5' },
    ];
    entries.push(file(path, noise(`${name}-${index}`)), ...(index % 10 === 0 ? links : []));
  }
  return tarOf([...entries, ...more]);
}

/**
 * @param {string} name
 * @param {Buffer} bytes
 * @returns {Entry}
 */
function file(name, bytes) {
  return { type: 'file', name, bytes };
}

/** @param {Entry[]} entries */
function tarOf(entries) {
  return Buffer.concat(Array.from(tarChunks(entries), (chunk) => Buffer.from(chunk)));
}

/**
 * Bytes that cannot be compressed, the same ones each time.
 *
 * @param {string} seed
 */
function noise(seed) {
  return createHash('shake256', { outputLength: FILE_BYTES }).update(seed).digest();
}

/** @param {Buffer} bytes */
function digestOf(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
