import { Crc64 } from '@sediment/codec';
import { newHasher } from '@sediment/core';
import { chunksOf } from '../items/fileChunks.ts';
import type { DedupHash } from './dedupOptions.ts';

/** Gives texts that are the same for equal files, from a descriptor, which it closes. */
export type FileKey = (fd: number, path: string) => string;

/** undefined: the size alone decides, and nothing has to be read. */
export function fileKeyBy(hash: DedupHash): FileKey | undefined {
  switch (hash) {
    case 'size':
      return undefined;
    case 'crc':
      return (fd, path) => {
        const crc = new Crc64();
        for (const chunk of chunksOf(fd, path)) crc.update(chunk);
        return crc.digest().toString('hex');
      };
    case 'sha256':
      return (fd, path) => {
        const hasher = newHasher('sha256');
        for (const chunk of chunksOf(fd, path)) hasher.update(chunk);
        return hasher.digest();
      };
  }
}
