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
function textOf(number, size) {
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
 * @param {number} count
 * @returns {Generator<Entry>}
 */
function* smallFiles(count) {
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
    // xorshift: the same bytes in every run
    let state = n + 1;
    for (let i = 0; i < size / 2; i += 4) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      half.writeInt32LE(state, i);
    }
    yield { type: 'file', name: `srv/filler/${n}`, bytes: half };
  }
}
