import type { TarHeader } from '../../src/tar/tarHeader.ts';
import { type TarHandler, TarReader } from '../../src/tar/tarReader.ts';

export interface ReadEntry {
  header: TarHeader;
  content: Buffer;
  ended: boolean;
}

/** Everything a reader reports, copied. */
export interface TarEvents {
  entries: ReadEntry[];
  /** Raw bytes in front of each entry, and after the last one. */
  raw: Buffer[];
  /** Raw bytes, and content of entries that are not sparse: the stream itself. */
  stream: Buffer;
}

/** Reads a whole tar, in the given pieces, each in a buffer that is wiped afterwards. */
export function readTar(pieces: Uint8Array | readonly Uint8Array[], what?: string): TarEvents {
  const entries: { header: TarHeader; parts: Buffer[]; ended: boolean }[] = [];
  const raw: Buffer[][] = [[]];
  const stream: Buffer[] = [];
  const handler: TarHandler = {
    raw(bytes) {
      const copy = Buffer.from(bytes);
      raw.at(-1)?.push(copy);
      stream.push(copy);
    },
    entry(header) {
      entries.push({ header, parts: [], ended: false });
      raw.push([]);
    },
    data(bytes) {
      const copy = Buffer.from(bytes);
      const last = entries.at(-1);
      last?.parts.push(copy);
      if (last?.header.sparse === undefined) stream.push(copy);
    },
    entryEnd() {
      const last = entries.at(-1);
      if (last !== undefined) last.ended = true;
    },
  };
  const reader = new TarReader(handler, what === undefined ? {} : { what });
  for (const piece of pieces instanceof Uint8Array ? [pieces] : pieces) {
    const reused = Uint8Array.from(piece);
    reader.write(reused);
    reused.fill(0xee);
  }
  reader.end();
  return {
    entries: entries.map(({ header, parts, ended }) => ({ header, content: Buffer.concat(parts), ended })),
    raw: raw.map((parts) => Buffer.concat(parts)),
    stream: Buffer.concat(stream),
  };
}

/** The only entry of a tar. */
export function readOne(tar: Uint8Array): ReadEntry {
  const { entries } = readTar(tar);
  if (entries.length !== 1) throw new Error(`${entries.length} entries instead of one`);
  return entries[0] as ReadEntry;
}
