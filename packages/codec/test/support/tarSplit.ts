import { TarReader } from '../../src/tar/tarReader.ts';
import { GzipLevel1Writer } from '../../src/tarSplit/gzipLevel1Writer.ts';
import { TarSplitPacker } from '../../src/tarSplit/tarSplitPacker.ts';

function pack(tar: Uint8Array, output: (lines: Uint8Array) => void): void {
  const packer = new TarSplitPacker({ output });
  const reader = new TarReader(packer);
  reader.write(tar);
  reader.end();
  packer.finish();
}

/** The JSON text of a tar's tar-split form. */
export function packText(tar: Uint8Array): Buffer {
  const parts: Buffer[] = [];
  pack(tar, (lines) => parts.push(Buffer.from(lines)));
  return Buffer.concat(parts);
}

/** Its lines; each must have been ended. */
export function packLines(tar: Uint8Array): string[] {
  const text = packText(tar).toString();
  if (!text.endsWith('\n')) throw new Error('the last line is not ended');
  return text.slice(0, -1).split('\n');
}

/** The tar-split file of a tar. */
export function packGzip(tar: Uint8Array): Buffer {
  const parts: Uint8Array[] = [];
  const gzip = new GzipLevel1Writer((bytes) => parts.push(bytes));
  pack(tar, (lines) => gzip.write(lines));
  gzip.finish();
  return Buffer.concat(parts);
}
