import type { TarArchive } from '../archives/tarArchive.ts';
import type { LayoutFiles } from './layoutFiles.ts';

/** An OCI layout inside a tar archive, which it takes over and closes. */
export function archiveLayout(archive: TarArchive): LayoutFiles {
  return {
    transport: 'oci-archive',
    location: archive.location,
    describe: (path) => `${archive.location}(${path})`,
    find: async (path) => archive.range(path, 'last'),
    close: () => archive.close(),
  };
}
