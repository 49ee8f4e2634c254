import { open } from 'node:fs/promises';

/** Makes what was renamed into a directory last. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path);
  await directory.sync();
}
