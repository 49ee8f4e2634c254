import type { LayerFile } from '../../src/tarSplit/tarAssembler.ts';

/** A file with that content, of which each reading gives so many bytes at most. */
export function fileOf(content: Buffer, most = content.length): LayerFile {
  let position = 0;
  return {
    size: content.length,
    read: (into) => {
      const length = content.copy(into, 0, position, Math.min(content.length, position + most));
      position += length;
      return length;
    },
    close: () => undefined,
  };
}
