import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findProgram, runHelper } from '../helperProgram.js';
import { digestBytes, digestFile } from './digestFile.js';
import { dockerManifest, hex, imageConfig, ociIndex, ociManifest } from './imageDocuments.js';

/**
 * @typedef {import('./imageDocuments.js').Layer} Layer
 * @typedef {import('./imageDocuments.js').Compression} Compression
 */

/**
 * @typedef {object} ImageParts
 * @property {string} name of the image
 * @property {readonly Layer[]} layers from the lowest up
 * @property {string} layersDirectory where they lie as `<hex of the diffID>.tar`
 */

/**
 * Makes an OCI layout of an image.
 *
 * @param {string} directory to make
 * @param {ImageParts} parts
 * @param {{ compression: Compression, level?: number }} options of all layers; `level`: of gzip
 */
export function makeLayout(directory, { name, layers, layersDirectory }, { compression, level = 6 }) {
  const blobs = join(directory, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const stored = layers.map((layer) => storeLayer(layer, { blobs, layersDirectory, compression, level }));
  const config = imageConfig(layers);
  const manifest = ociManifest(config, stored, compression);
  for (const document of [config, manifest]) writeFileSync(join(blobs, hex(digestBytes(document))), document);
  writeFileSync(join(directory, 'index.json'), ociIndex(manifest, name));
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

/**
 * @param {Layer} layer
 * @param {{ blobs: string, layersDirectory: string, compression: Compression, level: number }} options
 * @returns {{ digest: string, size: number }}
 */
function storeLayer({ diffID, size }, { blobs, layersDirectory, compression, level }) {
  const tar = join(layersDirectory, `${hex(diffID)}.tar`);
  if (compression === 'none') {
    linkSync(tar, join(blobs, hex(diffID)));
    return { digest: diffID, size };
  }
  const temporary = join(blobs, 'compressing');
  compress(tar, temporary, compression === 'gzip' ? gzip(level) : ZSTD);
  const digest = digestFile(temporary);
  renameSync(temporary, join(blobs, hex(digest)));
  return { digest, size: statSync(join(blobs, hex(digest))).size };
}

const ZSTD = { program: 'zstd', args: ['-q', '-3', '-c'] };

/** @param {number} level */
function gzip(level) {
  return { program: findProgram('pigz') === undefined ? 'gzip' : 'pigz', args: ['-n', `-${level}`, '-c'] };
}

/**
 * @param {string} from
 * @param {string} to
 * @param {{ program: string, args: string[] }} filter
 */
function compress(from, to, { program, args }) {
  const [stdin, stdout] = [openSync(from, 'r'), openSync(to, 'wx')];
  try {
    runHelper(program, args, { stdin, stdout });
  } finally {
    closeSync(stdin);
    closeSync(stdout);
  }
}

/**
 * Packs an OCI layout as oci-archive.
 *
 * @param {string} archive file to write
 * @param {string} layout
 */
export function packLayout(archive, layout) {
  const blobs = readdirSync(join(layout, 'blobs/sha256')).map((name) => `blobs/sha256/${name}`);
  const names = ['oci-layout', 'index.json', ...blobs];
  runHelper('tar', ['--create', `--file=${archive}`, '--format=ustar', `--directory=${layout}`, ...names]);
}

/**
 * Packs an image as docker-archive, with plain layers.
 *
 * @param {string} archive file to write
 * @param {ImageParts} parts
 * @param {string} scratch an empty directory for its documents
 */
export function packDockerArchive(archive, { name, layers, layersDirectory }, scratch) {
  const config = imageConfig(layers);
  const configName = `${hex(digestBytes(config))}.json`;
  writeFileSync(join(scratch, configName), config);
  writeFileSync(join(scratch, 'manifest.json'), dockerManifest(config, layers, name));
  const tars = layers.map(({ diffID }) => `${hex(diffID)}.tar`);
  runHelper('tar', [
    ...['--create', `--file=${archive}`, '--format=ustar'],
    ...[`--directory=${layersDirectory}`, ...tars],
    ...[`--directory=${scratch}`, configName, 'manifest.json'],
  ]);
}
