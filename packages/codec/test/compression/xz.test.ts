import { describe, expect, it } from 'vitest';
import { decodeXz } from '../../src/compression/xz.ts';
import { chunked, collect, failureOf, lines, noise, sample } from '../support/bytes.ts';
import { testDecoder } from '../support/decoderContract.ts';
import { fixture } from '../support/fixtures.ts';

const content = sample(20_000);
const names = [
  'sample-crc32.xz',
  'sample-sha256.xz',
  'sample-none.xz',
  'sample-blocks.xz',
  'sample-threads.xz',
];
const more = names.map((name) => ({ name, compressed: fixture(name), content }));

describe('xz', () => {
  testDecoder({
    decode: decodeXz,
    cases: [
      { name: 'sample.xz', compressed: fixture('sample.xz'), content },
      ...more,
      { name: 'lines.xz', compressed: fixture('lines.xz'), content: lines(3_000_000) },
      { name: 'plain chunks', compressed: fixture('noise.xz'), content: noise(200_000) },
    ],
    runs: 25,
  });

  it('accepts zero padding in multiples of four between and after streams', async () => {
    const stream = fixture('sample.xz');
    const bytes = Buffer.concat([stream, Buffer.alloc(8), stream, Buffer.alloc(4)]);
    expect((await collect(decodeXz(chunked(bytes, 999)))).equals(Buffer.concat([content, content]))).toBe(
      true,
    );
  });

  it.each([1, 2, 3, 5])('refuses %i bytes of padding', async (length) => {
    const bytes = Buffer.concat([fixture('sample.xz'), Buffer.alloc(length)]);
    const error = await failureOf(() => collect(decodeXz(chunked(bytes, 999))));
    expect(error).toMatchObject({
      code: 'COMPRESSION_INVALID',
      facts: { offset: fixture('sample.xz').length },
    });
  });

  it.each([
    ['a filter other than LZMA2', 'sample-x86.xz', 'filter 0x4 is not supported, only LZMA2 alone is'],
  ])('refuses %s', async (_, name, message) => {
    const error = await failureOf(() => collect(decodeXz(chunked(fixture(name), 999))));
    expect(error.message).toContain(message);
  });

  it.each([
    ['the stream header', 8, 'checksum of a stream header'],
    ['a block header', 15, 'checksum of a block header'],
    ['the check', -30, 'the check of a block'],
    ['the index', -20, 'the index'],
    ['the footer', -10, 'the footer'],
  ])('refuses damage in %s', async (_, place, message) => {
    const bytes = fixture('sample.xz');
    const at = place < 0 ? bytes.length + place : place;
    bytes[at] = (bytes[at] as number) ^ 1;
    const error = await failureOf(() => collect(decodeXz(chunked(bytes, 999))));
    expect(error.message).toContain(message);
  });
});
