import { StorageError } from '@sediment/core';
import { Crc64 } from '../crc64/crc64.ts';
import type { TarSplitEntry } from './tarSplitEntry.ts';

/** Gives the content of a layer's file by its name as in the tar header; must not leave the layer. */
export type OpenLayerFile = (name: Buffer) => AsyncIterable<Uint8Array>;

type FileEntry = Extract<TarSplitEntry, { type: 'file' }>;

const NO_CONTENT = Buffer.alloc(8);

/**
 * Makes a layer's tar again, byte for byte. Chunks are valid until the next one is pulled. Errors of
 * `open` pass through.
 *
 * Upstream writes directories and links whose header claims a size with the CRC of nothing, and then
 * cannot assemble its own file; such records are taken for what they are, entries without content.
 *
 * @throws {StorageError} `FILE_INTEGRITY` when a file is not what was unpacked; by then part of its
 *   bytes have been yielded
 */
export async function* assembleTar(
  entries: AsyncIterable<TarSplitEntry> | Iterable<TarSplitEntry>,
  open: OpenLayerFile,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const entry of entries) {
    if (entry.type === 'segment') {
      if (entry.payload.length > 0) yield entry.payload;
    } else if (entry.size > 0 && entry.crc?.equals(NO_CONTENT) !== true) {
      yield* verifiedFile(entry, open(entry.name));
    }
  }
}

async function* verifiedFile(
  entry: FileEntry,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const crc = new Crc64();
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > entry.size) break;
    crc.update(chunk);
    yield chunk;
  }
  const actual = crc.digest();
  if (size === entry.size && entry.crc?.equals(actual) === true) return;
  const name = entry.name.toString();
  throw new StorageError('FILE_INTEGRITY', `file integrity checksum failed for ${JSON.stringify(name)}`, {
    path: name,
    ...(size === entry.size
      ? { expected: entry.crc?.toString('hex') ?? '', actual: actual.toString('hex') }
      : { expected: entry.size, actual: size }),
    hint: 'the file was changed in the store after the layer was unpacked; import the image anew',
  });
}
