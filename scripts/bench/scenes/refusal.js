import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { importOurs, sediment } from '../commands.js';
import { copyWithFlippedByte } from '../evidence/flippedByte.js';
import { measure } from '../measure.js';
import { makePlace } from '../place.js';
import { ProofFailure } from './scene.js';

/**
 * @typedef {import('./scene.js').Bench} Bench
 * @typedef {import('../commands.js').Driver} Driver
 */

/** Archives that were refused already: several scenes import the same one. */
const proven = new Set();

/**
 * Proves that digests are verified: an archive with one byte changed must not become an image.
 *
 * @param {Bench} bench
 * @param {string} archive
 * @param {Driver} driver
 * @returns {Promise<string>} what was proven
 * @throws {ProofFailure}
 */
export async function proveRefusal({ scratch }, archive, driver) {
  const fact = 'with one byte of a layer changed, the archive is refused and no image is left';
  if (proven.has(archive)) return fact;
  const directory = join(scratch, 'flipped');
  mkdirSync(directory);
  const place = makePlace(scratch);
  try {
    const copy = join(directory, 'flipped.tar');
    copyWithFlippedByte(archive, copy);
    const { status, stderr } = await measure(importOurs(place, driver, copy), {
      directory: scratch,
    });
    if (status !== 1 || !/digest/i.test(stderr)) {
      throw new ProofFailure(`a changed byte was not noticed: exit status ${status}: ${stderr.trim()}`);
    }
    const left = await measure(sediment(place, driver, ['images', '--quiet']), { directory: scratch });
    if (left.status !== 0 || left.stdout !== '')
      throw new ProofFailure(`an image is left: ${left.stdout}${left.stderr}`);
    proven.add(archive);
    return fact;
  } finally {
    place.dispose();
    rmSync(directory, { recursive: true });
  }
}
