import { SharedBlocks } from '../sharedBlocks.ts';
import { type OpenLayerFile, TarAssembler } from './tarAssembler.ts';
import type { TarSplitEntry } from './tarSplitEntry.ts';

/** One is filled, one is on its way to a file, the others wait to be hashed. */
const BLOCKS = 5;

/** Layers are mostly assembled one after the other. */
let last: WeakRef<SharedBlocks> | undefined;

/**
 * Makes a layer's tar again, byte for byte. Chunks are valid until the next one is pulled; they lie in shared memory, so
 * that a reader can hold them longer (`holdShared`), and in other threads. Errors of `open` and of its files pass through.
 *
 * @param batches entries in their order, as `readTarSplit` gives them
 * @throws {StorageError} `FILE_INTEGRITY` when a file is not what was unpacked; by then part of its
 *   bytes may have been yielded
 */
export async function* assembleTar(
  batches: AsyncIterable<readonly TarSplitEntry[]> | Iterable<readonly TarSplitEntry[]>,
  open: OpenLayerFile,
): AsyncGenerator<Uint8Array, void, undefined> {
  const blocks = unusedBlocks();
  let filling: Buffer | undefined;
  const nextBuffer = () => {
    filling = blocks.take();
    return filling;
  };
  const assembler = new TarAssembler({ open, nextBuffer });
  try {
    for await (const batch of batches) {
      for (const chunk of assembler.add(batch)) {
        yield chunk;
        blocks.release(chunk);
        filling = undefined;
        await blocks.room();
      }
    }
    yield* assembler.end();
  } finally {
    if (filling !== undefined) blocks.release(filling);
  }
}

function unusedBlocks(): SharedBlocks {
  const before = last?.deref();
  if (before?.isUnused === true) return before;
  const blocks = new SharedBlocks(BLOCKS);
  last = new WeakRef(blocks);
  return blocks;
}
