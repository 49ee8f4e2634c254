import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitReader } from '../../src/compression/bitReader.ts';
import { decodeBzip2 } from '../../src/compression/bzip2.ts';
import { chunked, collect, failureOf, lines, sample } from '../support/bytes.ts';
import { testDecoder } from '../support/decoderContract.ts';
import { fixture } from '../support/fixtures.ts';

const EMPTY = Buffer.from('425a683917724538509000000000', 'hex');

describe('bzip2', () => {
  testDecoder({
    decode: decodeBzip2,
    cases: [
      { name: 'one block', compressed: fixture('sample.bz2'), content: sample(20_000) },
      { name: 'several blocks', compressed: fixture('lines.bz2'), content: lines(300_000) },
      { name: 'nothing', compressed: EMPTY, content: Buffer.alloc(0) },
    ],
    runs: 25,
  });

  it.each([
    ['a wrong level', Buffer.from('BZh0'), 'no bzip2 header'],
    ['no block', Buffer.concat([Buffer.from('BZh9'), Buffer.alloc(20)]), 'no block where one should begin'],
    ['a wrong checksum of the stream', Buffer.from(EMPTY).fill(1, 13), 'the checksum of the stream'],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await failureOf(() => collect(decodeBzip2(chunked(bytes, 3))));
    expect(error.code).toBe('COMPRESSION_INVALID');
    expect(error.message).toContain(message);
  });
});

describe('BitReader', () => {
  it('takes bits in any widths', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 50 }),
        fc.array(fc.integer({ min: 1, max: 24 })),
        (bytes, widths) => {
          const text = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
          const bits = new BitReader(bytes);
          let at = 0;
          for (const width of widths) {
            expect(bits.take(width)).toBe(Number.parseInt(text.slice(at, at + width).padEnd(width, '0'), 2));
            at += width;
            expect(bits.position).toEqual({ bytes: Math.floor(at / 8), bits: at % 8 });
            expect(bits.overrun).toBe(at > text.length);
          }
        },
      ),
    );
  });
});
