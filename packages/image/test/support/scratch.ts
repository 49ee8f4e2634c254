import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

const made: string[] = [];

afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A new directory, removed after the test. */
export function scratch(): string {
  const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sediment-image-'));
  made.push(path);
  return path;
}

/** A new file of these bytes in a directory of its own. */
export function scratchFile(bytes: Uint8Array | string, name = 'image.tar'): string {
  const path = join(scratch(), name);
  writeFileSync(path, bytes);
  return path;
}
