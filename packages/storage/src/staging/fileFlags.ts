import { childProcess } from '../lazyModules.ts';

/**
 * Clears the immutable and append-only flags of everything in a tree, by e2fsprogs' `chattr`: Node has
 * no ioctl. What could not be changed shows when the removal is tried again.
 */
export function clearFileFlags(tree: string): void {
  childProcess().spawnSync('chattr', ['-R', '-f', '-i', '-a', '--', tree], { stdio: 'ignore' });
}
