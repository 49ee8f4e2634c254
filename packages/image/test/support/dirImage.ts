import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RawDescriptor } from './imageParts.ts';
import type { Layout } from './layout.ts';

export const DIR_VERSION = 'Directory Transport Version: 1.1\n';

/**
 * Writes the image of a layout in skopeo's `dir` form: blobs under their hex, the manifests that an index names
 * under their hex and `.manifest.json`.
 */
export function writeDirImage(directory: string, layout: Layout, top: RawDescriptor): string {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'version'), DIR_VERSION);
  const hexOf = ({ digest }: RawDescriptor) => digest.slice(digest.indexOf(':') + 1);
  for (const [path, bytes] of layout.files) {
    if (!path.startsWith('blobs/')) continue;
    const hex = basename(path);
    const isManifest = /"schemaVersion"/.test(bytes.toString('latin1', 0, 200));
    const name = hex === hexOf(top) ? 'manifest.json' : isManifest ? `${hex}.manifest.json` : hex;
    writeFileSync(join(directory, name), bytes);
  }
  return directory;
}
