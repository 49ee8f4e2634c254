import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, runHelper } from '../helperProgram.js';
import { digestBytes, digestFile } from './digestFile.js';
import { hex, imageConfig, ociIndex, ociManifest } from './imageDocuments.js';

const WRITER = fileURLToPath(new URL('writeLayerTar.js', import.meta.url));

/**
 * What the layer of a large image holds.
 *
 * @typedef {object} LargeLayer
 * @property {'bytes' | 'files'} kind few large files, or many small ones
 * @property {number} count of files, or of megabytes (10⁶ bytes), each a file of its own
 */

/**
 * Makes an OCI layout of an image with one gzip layer, whose tar is never on disk.
 *
 * @param {string} directory to make
 * @param {LargeLayer} layer
 * @param {string} name of the image
 */
export function makeLargeLayout(directory, { kind, count }, name) {
  const blobs = join(directory, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const [compressed, facts] = [join(blobs, 'compressing'), join(directory, 'facts')];
  const gzip = findProgram('pigz') ?? 'gzip';
  const script = `"$1" "$2" "$3" "$4" "$5" | ${gzip} -n -1 -c >"$6"`;
  runHelper('sh', ['-c', script, 'sh', process.execPath, WRITER, kind, String(count), facts, compressed]);
  const layer = JSON.parse(readFileSync(facts, 'utf8'));
  rmSync(facts);
  const digest = digestFile(compressed);
  renameSync(compressed, join(blobs, hex(digest)));
  const config = imageConfig([layer]);
  const manifest = ociManifest(config, [{ digest, size: statSync(join(blobs, hex(digest))).size }], 'gzip');
  for (const document of [config, manifest]) writeFileSync(join(blobs, hex(digestBytes(document))), document);
  writeFileSync(join(directory, 'index.json'), ociIndex(manifest, name));
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}
