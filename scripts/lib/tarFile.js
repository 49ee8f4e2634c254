import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const BLOCK = 512;
const TYPES = { file: '0', hardLink: '1', symlink: '2', directory: '5' };
const MTIME = 1_700_000_000;

/**
 * @typedef {object} Entry
 * @property {keyof typeof TYPES} type
 * @property {string} name without a slash in front
 * @property {number} [mode]
 * @property {string} [target] of a link
 * @property {Buffer} [bytes] content of a file
 * @property {{ path: string, size: number }} [source] content of a file, to be copied
 */

/**
 * Writes a tar in the oldest form that every program reads. All entries belong to root.
 *
 * @param {string} path
 * @param {Iterable<Entry>} entries
 */
export function writeTar(path, entries) {
  const fd = openSync(path, 'wx');
  try {
    for (const entry of entries) {
      const size = entry.source?.size ?? entry.bytes?.length ?? 0;
      writeSync(fd, header(entry, size));
      if (entry.source) copyInto(fd, entry.source);
      if (entry.bytes) writeSync(fd, entry.bytes);
      writeSync(fd, Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK));
    }
    writeSync(fd, Buffer.alloc(2 * BLOCK));
  } finally {
    closeSync(fd);
  }
}

/**
 * @param {Entry} entry
 * @param {number} size
 */
function header({ type, name, mode = type === 'directory' ? 0o755 : 0o644, target = '' }, size) {
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(target) > 100)
    throw new RangeError(`${name}: too long`);
  const block = Buffer.alloc(BLOCK);
  block.write(type === 'directory' ? `${name}/` : name, 0);
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  writeOctal(block, 124, 12, size);
  writeOctal(block, 136, 12, MTIME);
  block.write(' '.repeat(8), 148);
  block.write(TYPES[type], 156);
  block.write(target, 157);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/**
 * @param {Buffer} block
 * @param {number} offset
 * @param {number} width
 * @param {number} value
 */
function writeOctal(block, offset, width, value) {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
}

/**
 * @param {number} fd
 * @param {{ path: string, size: number }} source
 */
function copyInto(fd, { path, size }) {
  const from = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(1 << 20);
    let copied = 0;
    for (let n = readSync(from, chunk); n > 0; n = readSync(from, chunk)) {
      writeSync(fd, chunk, 0, n);
      copied += n;
    }
    if (copied !== size) throw new Error(`${path} changed while it was read`);
  } finally {
    closeSync(from);
  }
}
