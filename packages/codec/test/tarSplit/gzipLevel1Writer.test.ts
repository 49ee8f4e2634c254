import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GzipLevel1Writer } from '../../src/tarSplit/gzipLevel1Writer.ts';
import { cutAt, lines } from '../support/bytes.ts';

function compress(pieces: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [];
  const writer = new GzipLevel1Writer((bytes) => parts.push(bytes));
  for (const piece of pieces) {
    const reused = Uint8Array.from(piece);
    writer.write(reused);
    reused.fill(0xee);
  }
  writer.finish();
  return Buffer.concat(parts);
}

describe('GzipLevel1Writer', () => {
  it('begins like the files of upstream', () => {
    const header = compress([Buffer.from('x')]).subarray(0, 10);
    expect(header.toString('hex')).toBe('1f8b08000000000004ff');
  });

  it('writes one member that can be read back, however it was written', () => {
    const content = lines(700_000);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 10 }), (places) => {
        expect(gunzipSync(compress(cutAt(content, places))).equals(content)).toBe(true);
      }),
      { numRuns: 10 },
    );
    expect(compress([content]).length).toBeLessThan(content.length / 10);
  });

  it('writes an empty member', () => {
    expect(gunzipSync(compress([])).length).toBe(0);
  });
});
