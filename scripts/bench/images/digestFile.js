import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * @param {string} path
 * @returns {string} `sha256:` and hexadecimal digits
 */
export function digestFile(path) {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (let n = readSync(file, chunk); n > 0; n = readSync(file, chunk)) hash.update(chunk.subarray(0, n));
  } finally {
    closeSync(file);
  }
  return `sha256:${hash.digest('hex')}`;
}

/**
 * @param {string | Uint8Array} bytes
 * @returns {string} `sha256:` and hexadecimal digits
 */
export function digestBytes(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
