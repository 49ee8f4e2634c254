import { SharedBlocks } from '../hashing/sharedBlocks.ts';
import { type OpenLayerFile, TarAssembler } from './tarAssembler.ts';
import type { TarSplitEntry } from './tarSplitEntry.ts';

/** One is filled, one is on its way to a file, the others wait to be hashed. */
const BLOCKS = 5;

/** What the one before is done with: layers are mostly assembled one after the other. */
let spare: WeakRef<SharedBlocks> | undefined;

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
  const blocks = takeBlocks();
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
    spare = new WeakRef(blocks);
  }
}

/** Nobody else gets the same until it is spare again, though readers may still hold some of them then. */
function takeBlocks(): SharedBlocks {
  const blocks = spare?.deref();
  spare = undefined;
  return blocks?.isUnused === true ? blocks : new SharedBlocks(BLOCKS);
}
