import { cleanPath, StorageError } from '@sediment/core';
import { openDecompressed } from '../compression/openDecompressed.ts';
import { parseTarSplitLine, type TarSplitEntry, tarSplitInvalid } from './tarSplitEntry.ts';

const NEWLINE = 0x0a;
/** Old writers put all trailing bytes into one line; longer texts than this do not fit a string. */
const MAX_LINE = 384 * 1024 * 1024;

/**
 * Reads the entries of a tar-split file, compressed (any number of gzip members) or not, in batches: there are very many.
 * Memory stays at what one chunk of text holds, or one line, plus the set of names.
 *
 * @param what names the file in messages
 * @throws {StorageError} `TAR_SPLIT_INVALID`, `TAR_DUPLICATE_PATH`, `COMPRESSION_INVALID`
 */
export async function* readTarSplit(
  source: AsyncIterable<Uint8Array>,
  what = 'tar-split file',
): AsyncGenerator<readonly TarSplitEntry[], void, undefined> {
  const { bytes } = await openDecompressed(source, { what });
  const seen = new Set<string>();
  let position = 0;
  for await (const lines of splitLines(bytes, what)) {
    yield lines.map((line) => {
      const entry = parseTarSplitLine(line, position++, what);
      if (entry.type === 'file') remember(seen, entry.name, what);
      return entry;
    });
  }
}

function remember(seen: Set<string>, name: Buffer, what: string): void {
  const path = cleanPath(name).toString('latin1');
  if (seen.has(path)) {
    throw new StorageError(
      'TAR_DUPLICATE_PATH',
      `${what}: duplicates of file paths not supported: ${JSON.stringify(name.toString())}`,
      { path: name.toString(), hint: 'remove the layer and import its image anew' },
    );
  }
  seen.add(path);
}

/** The lines that end in each chunk. */
async function* splitLines(
  source: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<readonly string[]> {
  let pending: Buffer[] = [];
  let pendingSize = 0;
  let count = 0;
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const isWhole = pendingSize === 0;
      lines.push(
        isWhole
          ? bytes.toString('utf8', start, end)
          : Buffer.concat([...pending, bytes.subarray(start, end)]).toString(),
      );
      pending = [];
      pendingSize = 0;
      start = end + 1;
    }
    count += lines.length;
    if (start < bytes.length) {
      pending.push(Buffer.from(bytes.subarray(start))); // the source reuses its buffers
      pendingSize += bytes.length - start;
      if (pendingSize > MAX_LINE) throw tarSplitInvalid(what, count, `it is longer than ${MAX_LINE} bytes`);
    }
    if (lines.length > 0) yield lines;
  }
  if (pendingSize > 0) yield [Buffer.concat(pending).toString()];
}
