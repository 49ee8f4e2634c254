import { closeSync, openSync, readSync } from 'node:fs';

const BLOCK = 512;

/**
 * @typedef {object} TarMember
 * @property {string} name
 * @property {number} offset of its content in the archive
 * @property {number} size bytes
 */

/**
 * The members of one of our own archives: ustar, no long names.
 *
 * @param {string} archive
 * @returns {TarMember[]}
 */
export function tarMembers(archive) {
  const file = openSync(archive, 'r');
  const header = Buffer.alloc(BLOCK);
  /** @type {TarMember[]} */
  const members = [];
  try {
    for (let offset = 0; readSync(file, header, 0, BLOCK, offset) === BLOCK && header[0] !== 0; ) {
      const name = header.toString('latin1', 0, 100).replace(/\0.*$/s, '');
      const size = Number.parseInt(header.toString('latin1', 124, 136), 8);
      members.push({ name, offset: offset + BLOCK, size });
      offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    }
  } finally {
    closeSync(file);
  }
  return members;
}
