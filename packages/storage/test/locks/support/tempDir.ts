import { mkdtempSync, rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** A new directory on a memory file system, removed with everything in it after the test. */
export function tempDir(): string {
  const path = mkdtempSync('/dev/shm/sediment-locks-');
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
