import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where the driver keeps what each layer brings, from the lowest up.
 *
 * @param {string} graphRoot of a store with one image
 * @returns {string[]}
 */
export function overlayDirectories(graphRoot) {
  /** @type {{ id: string, parent?: string }[]} */
  const layers = JSON.parse(readFileSync(join(graphRoot, 'overlay-layers/layers.json'), 'utf8'));
  const above = new Map(layers.map(({ id, parent = '' }) => [parent, id]));
  const directories = [];
  for (let id = above.get(''); id !== undefined; id = above.get(id)) {
    directories.push(join(graphRoot, 'overlay', id, 'diff'));
  }
  return directories;
}
