import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const BLOCK = 512;
const TYPES = {
  file: '0',
  hardLink: '1',
  symlink: '2',
  characterDevice: '3',
  blockDevice: '4',
  directory: '5',
  fifo: '6',
};
const PAX = 'x';
const MTIME = 1_700_000_000;

/**
 * @typedef {object} Entry
 * @property {keyof typeof TYPES} type
 * @property {string} name without a slash in front
 * @property {number} [mode]
 * @property {readonly [number, number]} [owner] user and group, root when not given
 * @property {readonly [number, number]} [device] major and minor number
 * @property {string} [mtime] seconds and a fraction, in decimal, when it is not that of all
 * @property {Readonly<Record<string, Buffer>>} [xattrs]
 * @property {string} [target] of a link
 * @property {Buffer} [bytes] content of a file
 * @property {{ path: string, size: number }} [source] content of a file, to be copied
 */

/**
 * Writes a tar in the oldest form that every program reads, with extended headers where something needs them.
 *
 * @param {string} path
 * @param {Iterable<Entry>} entries
 */
export function writeTar(path, entries) {
  const fd = openSync(path, 'wx');
  try {
    for (const chunk of tarChunks(entries)) writeSync(fd, chunk);
  } finally {
    closeSync(fd);
  }
}

/**
 * The bytes of such a tar.
 *
 * @param {Iterable<Entry>} entries
 * @returns {Generator<Buffer>} each is good until the next one is asked for
 */
export function* tarChunks(entries) {
  for (const entry of entries) {
    const size = entry.source?.size ?? entry.bytes?.length ?? 0;
    const records = paxRecords(entry);
    if (records.length > 0) yield* paxHeader(entry.name, records);
    yield header(entry, TYPES[entry.type], size);
    if (entry.source) yield* contentOf(entry.source);
    if (entry.bytes) yield entry.bytes;
    yield padding(size);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** @param {number} size of what was written */
function padding(size) {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/**
 * @param {Entry} entry
 * @returns {Buffer} empty when the oldest form says it all
 */
function paxRecords({ mtime, xattrs = {} }) {
  const named = Object.entries(xattrs).map(
    ([name, value]) => /** @type {[string, Buffer]} */ ([`SCHILY.xattr.${name}`, value]),
  );
  if (mtime !== undefined) named.unshift(['mtime', Buffer.from(mtime)]);
  return Buffer.concat(
    named.map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
      // the length counts its own digits
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}

/**
 * @param {string} name of the entry that it belongs to
 * @param {Buffer} records
 */
function* paxHeader(name, records) {
  const folder = `PaxHeaders/${name}`.slice(0, 100);
  yield header({ type: 'file', name: folder }, PAX, records.length);
  yield records;
  yield padding(records.length);
}

/**
 * @param {Entry} entry
 * @param {string} typeFlag
 * @param {number} size
 */
function header(entry, typeFlag, size) {
  const { type, name, mode = type === 'directory' ? 0o755 : 0o644, target = '', owner, device } = entry;
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(target) > 100)
    throw new RangeError(`${name}: too long`);
  const block = Buffer.alloc(BLOCK);
  block.write(type === 'directory' ? `${name}/` : name, 0);
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, owner?.[0] ?? 0);
  writeOctal(block, 116, 8, owner?.[1] ?? 0);
  writeOctal(block, 124, 12, size);
  writeOctal(block, 136, 12, MTIME);
  block.write(' '.repeat(8), 148);
  block.write(typeFlag, 156);
  block.write(target, 157);
  block.write('ustar\x0000', 257, 'latin1');
  if (device !== undefined) {
    writeOctal(block, 329, 8, device[0]);
    writeOctal(block, 337, 8, device[1]);
  }
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

/** @param {{ path: string, size: number }} source */
function* contentOf({ path, size }) {
  const from = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(1 << 20);
    let copied = 0;
    for (let n = readSync(from, chunk); n > 0; n = readSync(from, chunk)) {
      yield chunk.subarray(0, n);
      copied += n;
    }
    if (copied !== size) throw new Error(`${path} changed while it was read`);
  } finally {
    closeSync(from);
  }
}
