import { digestBytes } from './digestFile.js';

/**
 * @typedef {object} Layer
 * @property {string} diffID digest of the plain tar
 * @property {number} size of the plain tar, in bytes
 */

/** @typedef {'gzip' | 'zstd' | 'none'} Compression */

const MEDIA_TYPE = 'application/vnd.oci.image';
const SUFFIX = { gzip: '+gzip', zstd: '+zstd', none: '' };
const CREATED = '2024-01-01T00:00:00Z';

/**
 * @param {readonly Layer[]} layers
 * @returns {string} the config, which OCI and docker-archive share
 */
export function imageConfig(layers) {
  return JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: CREATED,
    config: { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
    history: layers.map((_, n) => ({ created: CREATED, created_by: `layer ${n}` })),
  });
}

/**
 * @param {string} config
 * @param {readonly { digest: string, size: number }[]} blobs the layers as they are stored
 * @param {Compression} compression
 */
export function ociManifest(config, blobs, compression) {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: `${MEDIA_TYPE}.manifest.v1+json`,
    config: { mediaType: `${MEDIA_TYPE}.config.v1+json`, digest: digestBytes(config), size: config.length },
    layers: blobs.map((blob) => ({ mediaType: `${MEDIA_TYPE}.layer.v1.tar${SUFFIX[compression]}`, ...blob })),
  });
}

/**
 * @param {string} manifest
 * @param {string} name of the image
 */
export function ociIndex(manifest, name) {
  return JSON.stringify({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: `${MEDIA_TYPE}.manifest.v1+json`,
        digest: digestBytes(manifest),
        size: manifest.length,
        annotations: { 'org.opencontainers.image.ref.name': name },
      },
    ],
  });
}

/**
 * @param {string} config
 * @param {readonly Layer[]} layers
 * @param {string} name of the image
 * @returns {string} `manifest.json` of a docker-archive
 */
export function dockerManifest(config, layers, name) {
  return JSON.stringify([
    {
      Config: `${hex(digestBytes(config))}.json`,
      RepoTags: [name],
      Layers: layers.map(({ diffID }) => `${hex(diffID)}.tar`),
    },
  ]);
}

/** @param {string} digest */
export function hex(digest) {
  return digest.slice('sha256:'.length);
}
