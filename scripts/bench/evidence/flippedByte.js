import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { runHelper } from '../helperProgram.js';
import { tarMembers } from './tarMembers.js';

/**
 * Copies an archive of ours and changes one byte of its largest layer, where nothing but the digest tells: in gzip the
 * time of the header, else the last byte, which in a tar is padding.
 *
 * @param {string} archive
 * @param {string} copy file to write
 */
export function copyWithFlippedByte(archive, copy) {
  runHelper('cp', ['--sparse=never', archive, copy]);
  const [layer] = tarMembers(copy).sort((a, b) => b.size - a.size);
  if (layer === undefined) throw new Error(`${archive} has no members`);
  const file = openSync(copy, 'r+');
  try {
    const magic = Buffer.alloc(2);
    readSync(file, magic, 0, 2, layer.offset);
    const position = magic.equals(Buffer.from([0x1f, 0x8b]))
      ? layer.offset + 4
      : layer.offset + layer.size - 1;
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, position);
    byte.writeUInt8(byte.readUInt8() ^ 0xff);
    writeSync(file, byte, 0, 1, position);
  } finally {
    closeSync(file);
  }
}
