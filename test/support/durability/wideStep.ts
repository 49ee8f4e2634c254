import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { archiveOf, ociLayoutFiles } from '../imageArchive.ts';
import type { StoreStep } from './storeSteps.ts';

/** So many that the files of one thread are brought to the disk by a sync of the whole file system. */
export const WIDE_FILES = 21_500;
/** From that size of its blob on, two threads would share the layer, and the files. */
export const SHARED_BYTES = 1024 * 1024;

/** Imports an image of one layer of very many small files. */
export const WIDE_STEP: StoreStep = {
  name: 'import of very many files',
  program: 'sediment',
  args: ({ first }) => {
    const archive = join(dirname(first), 'wide.tar');
    writeFileSync(archive, wideArchive());
    return ['import', archive];
  },
};

function wideArchive(): Buffer {
  const layer = Array.from({ length: WIDE_FILES }, (_, i) => ({
    name: `d${Math.floor(i / 500)}/f${i}`,
    content: `content ${i}\n`,
  }));
  const files = ociLayoutFiles([{ names: ['localhost/wide:1'], layers: [layer], compression: 'gzip' }]);
  const largest = Math.max(...[...files.values()].map(({ length }) => length));
  if (largest >= SHARED_BYTES) throw new Error(`the layer has ${largest} bytes: two threads would share it`);
  return archiveOf(files);
}
