import { randomFillSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { VICTIM } from './damagedArchives.ts';
import { archiveOf, dockerArchiveFiles, ociLayoutFiles } from './imageArchive.ts';

/** The same image without any damage. */
export const intactArchive: Buffer = archiveOf(ociLayoutFiles([VICTIM]));

/** Needs some megabytes, more than a hundred files, and a copy since it is compressed as a whole. */
export const largeArchive: Buffer = gzipSync(
  archiveOf(
    dockerArchiveFiles([
      {
        names: ['localhost/large:1'],
        layers: [
          [{ name: 'large', content: randomFillSync(Buffer.alloc(3 << 20)) }],
          Array.from({ length: 300 }, (_, i) => ({ name: `file-${i}`, content: `${i}\n` })),
        ],
      },
    ]),
  ),
  { level: 1 },
);

/** Three layers of one small file each. */
export const smallArchive: Buffer = archiveOf(
  dockerArchiveFiles([
    {
      names: ['localhost/small:1'],
      layers: ['x', 'y', 'z'].map((name) => [{ name, content: name }]),
    },
  ]),
);
