import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

/**
 * Unmounts what a tour that failed has left mounted, and removes its directory.
 *
 * @param {string} directory
 */
export function removeDirectory(directory) {
  for (const mountPoint of mountsBelow(directory).reverse()) {
    const { status, stderr, error } = spawnSync('umount', [mountPoint], { encoding: 'utf8' });
    if (error) throw error;
    if (status !== 0) throw new Error(`${mountPoint} cannot be unmounted: ${stderr}`);
  }
  rmSync(directory, { recursive: true, force: true });
}

/**
 * @param {string} directory without spaces or the like, which the kernel would escape
 * @returns {string[]} in the order of mounting
 */
export function mountsBelow(directory) {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(`${directory}/`));
}
