import { randomBytes, randomInt } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isalInflaters, type RawInflater } from '../src/index.ts';

const open = isalInflaters();

/** A deflate stream of random form, and what is in it. */
function randomStream(): { plain: Buffer; stream: Buffer } {
  const parts = Array.from({ length: randomInt(1, 6) }, (_, i) =>
    randomInt(2) === 0 ? Buffer.alloc(randomInt(90_000), `text ${i} `) : randomBytes(randomInt(10_000)),
  );
  const plain = Buffer.concat(parts);
  const options = { level: randomInt(10), strategy: randomInt(5), memLevel: randomInt(1, 10) };
  return { plain, stream: deflateRawSync(plain, options) };
}

/** Inflates as `gunzip` does: more input only after a step that left room. */
function inflateInPieces(inflater: RawInflater, bytes: Buffer, maxPiece: number) {
  const parts: Buffer[] = [];
  let at = 0;
  let [piece, offset] = [Buffer.alloc(0), 0];
  let [output, fill] = [Buffer.alloc(randomInt(1, 70_000)), 0];
  for (let wantsInput = true, ended = false; !ended; wantsInput = fill < output.length) {
    if (fill === output.length) {
      parts.push(output);
      [output, fill] = [Buffer.alloc(randomInt(1, 70_000)), 0];
    }
    if (wantsInput && offset === piece.length) {
      if (at === bytes.length) throw new Error('truncated');
      piece = Buffer.from(bytes.subarray(at, at + randomInt(1, maxPiece + 1)));
      at += piece.length;
      offset = 0;
    }
    const step = inflater.step(piece, offset, output, fill);
    offset += step.consumed;
    fill += step.produced;
    ended = step.ended;
    if (offset < 0) throw new Error('gives back what was not of this input');
  }
  return { text: Buffer.concat([...parts, output.subarray(0, fill)]), end: at - piece.length + offset };
}

describe('isalInflaters', () => {
  it('gives none where there is no library, or one that is something else', () => {
    expect(isalInflaters('libisal-that-is-missing.so.2')).toBeUndefined();
    expect(isalInflaters('libc.so.6')).toBeUndefined();
  });

  describe.skipIf(open === undefined)('with the library (libisal.so.2)', () => {
    const newInflater = open as () => RawInflater;

    it.each([1, 2, 5, 17, 300, 100_000])(
      'inflates what zlib deflates and finds its end, cut into pieces of up to %i bytes',
      (maxPiece) => {
        const inflater = newInflater();
        for (let i = 0; i < Math.min(20, 2 + maxPiece); i++) {
          const { plain, stream } = randomStream();
          const bytes = Buffer.concat([stream, randomBytes(randomInt(12))]);
          inflater.reset();
          const { text, end } = inflateInPieces(inflater, bytes, maxPiece);
          expect(text.equals(plain)).toBe(true);
          expect(end).toBe(stream.length);
        }
        inflater.close();
      },
    );

    it('says what is wrong with damaged streams', () => {
      const inflater = newInflater();
      const output = Buffer.alloc(1000);
      expect(() => inflater.step(Buffer.from([0x07, 0, 0, 0, 0]), 0, output, 0)).toThrow('invalid block');
      inflater.reset();
      // A match that reaches before the beginning: fixed codes, length 3, distance 1.
      expect(() => inflater.step(Buffer.from([0x03, 0x02, 0, 0]), 0, output, 0)).toThrow('invalid distance');
    });
  });
});
