import { type OpenLayerFile, TarAssembler } from './tarAssembler.ts';
import type { TarSplitEntry } from './tarSplitEntry.ts';

const CHUNK_BYTES = 512 * 1024;

/**
 * Makes a layer's tar again, byte for byte. Chunks are valid until the next one is pulled. Errors of
 * `open` and of its files pass through.
 *
 * @param batches entries in their order, as `readTarSplit` gives them
 * @throws {StorageError} `FILE_INTEGRITY` when a file is not what was unpacked; by then part of its
 *   bytes may have been yielded
 */
export async function* assembleTar(
  batches: AsyncIterable<readonly TarSplitEntry[]> | Iterable<readonly TarSplitEntry[]>,
  open: OpenLayerFile,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const assembler = new TarAssembler({ open, nextBuffer: () => buffer });
  for await (const batch of batches) yield* assembler.add(batch);
  yield* assembler.end();
}
