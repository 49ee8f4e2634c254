import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batched } from '../src/index.ts';

/** Reuses its buffer for every chunk, as sources may. */
async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(Math.max(...sizes, 1));
  let start = 0;
  for (const size of sizes) {
    const piece = bytes.subarray(start, start + size);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
    start += size;
  }
}

describe('batched', () => {
  it('gives the same bytes in fewer chunks', async () => {
    const size = fc.oneof(fc.nat(3000), fc.nat(300_000), fc.constant(256 * 1024));
    await fc.assert(
      fc.asyncProperty(fc.array(size, { maxLength: 40 }), async (sizes) => {
        const length = sizes.reduce((sum, each) => sum + each, 0);
        const bytes = Buffer.alloc(length, 'the quick brown fox ');
        const chunks: Buffer[] = [];
        for await (const chunk of batched(inPieces(bytes, sizes))) chunks.push(Buffer.from(chunk));
        expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
        expect(chunks.length).toBeLessThanOrEqual(
          Math.min(sizes.length, Math.ceil((2 * length) / 262_144) + 1),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('lets errors through, and ends the source when nobody wants more', async () => {
    let ended = false;
    async function* source() {
      try {
        for (;;) yield Buffer.alloc(200_000);
      } finally {
        ended = true;
      }
    }
    for await (const _ of batched(source())) break;
    expect(ended).toBe(true);
    async function* failing() {
      yield Buffer.from('x');
      throw new RangeError('mine');
    }
    await expect(batched(failing()).next()).rejects.toThrow(RangeError);
  });
});
