import { rmSync } from 'node:fs';

const left = new Set<string>();

/**
 * Removes a file or directory if the process ends (by `process.exit`, too) before {@link forgetLeft} is
 * called. A process that is killed leaves it: see who cleans up for that.
 */
export function removeOnExit(path: string): void {
  if (left.size === 0) process.on('exit', removeAll);
  left.add(path);
}

export function forgetLeft(path: string): void {
  left.delete(path);
  if (left.size === 0) process.off('exit', removeAll);
}

/** There is nobody to tell an error to any more. */
function removeAll(): void {
  for (const path of left) rmSync(path, { recursive: true, force: true });
}
