import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decoderFor, registerDecoder } from '../../src/compression/decoder.ts';
import { openDecompressed } from '../../src/compression/openDecompressed.ts';
import { chunked, collect, failureOf, sample } from '../support/bytes.ts';
import { fixture } from '../support/fixtures.ts';

const content = sample(20_000);

describe('openDecompressed', () => {
  it.each([
    ['gzip', gzipSync(content)],
    ['zstd', fixture('sample.zst')],
    ['xz', fixture('sample.xz')],
    ['bzip2', fixture('sample.bz2')],
    ['none', content],
  ])('detects and decodes %s in chunks of any size', async (compression, bytes) => {
    for (const size of [1, 5, 100_000]) {
      const opened = await openDecompressed(chunked(bytes, size));
      expect(opened.compression).toBe(compression);
      expect((await collect(opened.bytes)).equals(content)).toBe(true);
    }
  });

  it.each([[''], ['ab'], ['\x1f\x8b']])('passes %j as plain bytes', async (text) => {
    const opened = await openDecompressed(chunked(Buffer.from(text, 'latin1'), 1));
    expect([opened.compression, (await collect(opened.bytes)).toString('latin1')]).toEqual(['none', text]);
  });

  it('names the stream, the offset and a way out', async () => {
    const bytes = Buffer.concat([gzipSync('x'), Buffer.from('junk')]);
    const opened = await openDecompressed(chunked(bytes, 9), { what: 'layer 2' });
    const error = await failureOf(() => collect(opened.bytes));
    expect(error).toMatchObject({
      code: 'COMPRESSION_INVALID',
      message: 'layer 2: gzip data is followed by bytes of another kind at byte 21',
      facts: { offset: 21 },
    });
    expect(error.hint).toContain('compress it again');
  });

  it('closes the source when the consumer stops', async () => {
    let closed = false;
    async function* source() {
      try {
        for (;;) yield Buffer.from('plain bytes');
      } finally {
        closed = true;
      }
    }
    const { bytes } = await openDecompressed(source());
    for await (const chunk of bytes) if (chunk.length > 0) break;
    expect(closed).toBe(true);
  });
});

describe('registerDecoder', () => {
  it('replaces a decoder', async () => {
    const before = decoderFor('zstd');
    registerDecoder('zstd', async function* () {
      yield Buffer.from('mine');
    });
    try {
      const { bytes } = await openDecompressed(chunked(fixture('sample.zst'), 100), { what: 'x' });
      expect((await collect(bytes)).toString()).toBe('mine');
    } finally {
      registerDecoder('zstd', before);
    }
  });

  it('refuses a decoder for plain bytes', () => {
    expect(() => registerDecoder('none', (source) => source)).toThrow(TypeError);
  });
});
