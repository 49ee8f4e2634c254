import { join } from 'node:path';
import type { LayoutFiles } from './layoutFiles.ts';
import { regularFile } from './regularFile.ts';

/** An OCI layout in a directory. */
export function directoryLayout(location: string): LayoutFiles {
  const describe = (path: string) => join(location, path);
  return {
    transport: 'oci',
    location,
    describe,
    find: (path) => regularFile(describe(path)),
    close: async () => undefined,
  };
}
