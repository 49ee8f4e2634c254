import { writeTar } from '../../lib/tarFile.js';

/** @typedef {import('../../lib/tarFile.js').Entry} Entry */

const TEXT = Buffer.from(
  Array.from({ length: 2000 }, (_, n) => `line ${n} of ${(n * 2654435761) % 4294967296}\n`).join(''),
);

/**
 * Some bytes of text, other ones for every number.
 *
 * @param {number} number
 * @param {number} size at most 32768
 */
export function textOf(number, size) {
  const start = (number * 997) % (TEXT.length - 32768);
  return TEXT.subarray(start, start + size);
}

/**
 * One layer of very many small files, a hundred in each directory.
 *
 * @param {string} tar file to write
 * @param {number} count of files
 */
export function packSmallFiles(tar, count) {
  writeTar(tar, smallFiles(count));
}

/**
 * @param {number} count of files
 * @returns {Generator<Entry>}
 */
export function* smallFiles(count) {
  yield { type: 'directory', name: 'srv' };
  yield { type: 'directory', name: 'srv/files' };
  for (let n = 0; n < count; n += 1) {
    const directory = `srv/files/${String(Math.floor(n / 100)).padStart(4, '0')}`;
    if (n % 100 === 0) yield { type: 'directory', name: directory };
    yield { type: 'file', name: `${directory}/file-${n}.txt`, bytes: textOf(n, (n * 31) % 1500) };
  }
}

/**
 * A tiny layer of an image with many: new files, a link, a changed file, and a file of the layer before deleted.
 *
 * @param {string} tar file to write
 * @param {number} number of the layer in the image, from 0
 */
export function packTinyLayer(tar, number) {
  const directory = `opt/layer-${number}`;
  /** @type {Entry[]} */
  const entries = [
    { type: 'directory', name: 'opt' },
    { type: 'file', name: 'opt/changed', bytes: textOf(number, 1000) },
    { type: 'directory', name: directory },
    { type: 'file', name: `${directory}/a`, bytes: textOf(number, 4000) },
    { type: 'file', name: `${directory}/b`, bytes: textOf(number + 1, 300) },
    { type: 'hardLink', name: `${directory}/c`, target: `${directory}/b` },
    { type: 'symlink', name: `${directory}/d`, target: '../changed' },
  ];
  if (number > 0) {
    entries.push({ type: 'directory', name: `opt/layer-${number - 1}` });
    entries.push({ type: 'file', name: `opt/layer-${number - 1}/.wh.a`, bytes: Buffer.alloc(0) });
  }
  writeTar(tar, entries);
}

/**
 * A layer that deletes a file and empties a directory of the layers below, and that brings some links.
 *
 * @param {string} tar file to write
 * @param {{ file: string, directory: string, parents: readonly string[] }} deleted paths in lower layers, and the
 *   directories that they lie in, outermost first
 */
export function packDeletions(tar, { file, directory, parents }) {
  const name = file.split('/').at(-1);
  const folder = file.slice(0, -(name ?? '').length);
  const empty = Buffer.alloc(0);
  /** @type {Entry[]} */
  const entries = [
    ...parents.map((parent) => /** @type {Entry} */ ({ type: 'directory', name: parent })),
    { type: 'file', name: `${folder}.wh.${name}`, bytes: empty },
    { type: 'directory', name: directory },
    { type: 'file', name: `${directory}/.wh..wh..opq`, bytes: empty },
    { type: 'file', name: `${directory}/only`, bytes: textOf(1, 5000) },
    { type: 'directory', name: 'srv' },
    { type: 'file', name: 'srv/setuid', mode: 0o4755, bytes: textOf(2, 5000) },
    { type: 'hardLink', name: 'srv/setuid.linked', mode: 0o4755, target: 'srv/setuid' },
    { type: 'symlink', name: 'srv/link', target: `/${directory}/only` },
  ];
  // a directory with all that is in it before the next one, as archives are made
  writeTar(
    tar,
    entries.sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
}

/** The right to use raw sockets, as file systems keep it: version 2, effective. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

/**
 * A layer of what few images have, so that the comparison of trees covers it: attributes, devices, a pipe, owners,
 * special modes, times with a fraction.
 *
 * @param {string} tar file to write
 */
export function packSpecialFiles(tar) {
  const text = (/** @type {string} */ value) => Buffer.from(value);
  writeTar(tar, [
    { type: 'directory', name: 'srv' },
    {
      type: 'directory',
      name: 'srv/special',
      owner: [1000, 2000],
      mode: 0o2775,
      mtime: '1600000000.123456789',
    },
    {
      type: 'file',
      name: 'srv/special/capable',
      mode: 0o755,
      bytes: textOf(3, 3000),
      xattrs: { 'security.capability': CAPABILITY },
    },
    { type: 'hardLink', name: 'srv/special/capable.linked', mode: 0o755, target: 'srv/special/capable' },
    {
      type: 'file',
      name: 'srv/special/noted',
      owner: [1000, 2000],
      mode: 0o6711,
      mtime: '1600000000.000000001',
      bytes: textOf(4, 700),
      xattrs: { 'user.empty': text(''), 'user.note': text('a = b\nc') },
    },
    {
      type: 'directory',
      name: 'srv/special/sticky',
      owner: [65534, 100],
      mode: 0o1777,
      xattrs: { 'user.on-directory': text('yes') },
    },
    { type: 'file', name: 'srv/special/unreadable', owner: [123456, 654321], mode: 0, bytes: textOf(5, 10) },
    { type: 'fifo', name: 'srv/special/pipe', owner: [0, 5], mode: 0o620 },
    { type: 'characterDevice', name: 'srv/special/null', mode: 0o666, device: [1, 3] },
    { type: 'blockDevice', name: 'srv/special/disk', owner: [0, 6], mode: 0o660, device: [7, 200] },
    { type: 'symlink', name: 'srv/special/owned-link', owner: [1000, 2000], target: 'noted' },
  ]);
}

/**
 * Bytes that compress to about a half, for an image that is too small otherwise.
 *
 * @param {string} tar file to write
 * @param {number} bytes
 */
export function packFiller(tar, bytes) {
  writeTar(tar, filler(bytes));
}

/**
 * @param {number} bytes
 * @returns {Generator<Entry>}
 */
function* filler(bytes) {
  yield { type: 'directory', name: 'srv' };
  yield { type: 'directory', name: 'srv/filler' };
  const size = 32768;
  for (let n = 0; n * size < bytes; n += 1) {
    const half = Buffer.from(textOf(n, size));
    fillWithNoise(half.subarray(0, size / 2), n + 1);
    yield { type: 'file', name: `srv/filler/${n}`, bytes: half };
  }
}

/**
 * Few files of a megabyte (10⁶ bytes) each, of which a quarter cannot be compressed.
 *
 * @param {number} count of files
 * @returns {Generator<Entry>}
 */
export function* largeFiles(count) {
  yield { type: 'directory', name: 'srv' };
  yield { type: 'directory', name: 'srv/data' };
  const bytes = Buffer.alloc(1e6);
  for (let n = 0; n < count; n += 1) {
    for (let at = 0; at < bytes.length; at += 32768) textOf(n * 31 + at / 32768, 32768).copy(bytes, at);
    for (let at = 0; at + 8192 <= bytes.length; at += 32768) {
      fillWithNoise(bytes.subarray(at, at + 8192), n * 32 + at / 32768 + 1);
    }
    yield { type: 'file', name: `srv/data/${n}`, bytes };
  }
}

/**
 * @param {Buffer} bytes a multiple of four
 * @param {number} seed not 0; the same noise for the same one
 */
function fillWithNoise(bytes, seed) {
  // xorshift
  let state = seed;
  for (let at = 0; at < bytes.length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state, at);
  }
}
