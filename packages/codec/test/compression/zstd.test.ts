import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeZstdByNode } from '../../src/compression/zstdNode.ts';
import { decodeZstdPortably } from '../../src/compression/zstdPortable.ts';
import { chunked, collect, failureOf, lines, sample } from '../support/bytes.ts';
import { testDecoder } from '../support/decoderContract.ts';
import { fixture } from '../support/fixtures.ts';

const content = sample(20_000);
const cases = [
  { name: 'a frame with checksum', compressed: fixture('sample.zst'), content },
  { name: 'a frame without checksum', compressed: fixture('sample-nocheck.zst'), content },
  { name: 'many blocks of unknown size', compressed: fixture('lines.zst'), content: lines(300_000) },
  { name: 'a skippable frame', compressed: skippable(Buffer.from('abc'), 0), content: Buffer.alloc(0) },
  {
    name: 'a skippable frame of nothing',
    compressed: skippable(Buffer.alloc(0), 15),
    content: Buffer.alloc(0),
  },
  {
    name: 'a tiny frame',
    compressed: Buffer.from('28b52ffd2001090000 41'.replace(' ', ''), 'hex'),
    content: Buffer.from('A'),
  },
] as const;

function skippable(payload: Buffer, kind: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + kind, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

const hasNode = 'createZstdDecompress' in zlib;

describe.each([
  { by: 'JavaScript', decode: decodeZstdPortably, there: true },
  { by: 'node:zlib (needs Node 22.15)', decode: decodeZstdByNode, there: hasNode },
])('zstd by $by', ({ decode, there }) => {
  describe.skipIf(!there)('', () => {
    testDecoder({ decode, cases, runs: 25 });

    it.each([
      ['a reserved block type', '28b52ffd2001' + '0f0000', 'reserved type'],
      ['a reserved header bit', '28b52ffd2801' + '090000' + '41', 'reserved bit'],
      ['a dictionary', '28b52ffd2105' + '01' + '090000' + '41', 'dictionary'],
      ['a huge window', '28b52ffd00' + 'f8' + '090000' + '41', 'window'],
      ['a content size that differs', '28b52ffd2002' + '090000' + '41', ''],
    ])('refuses %s', async (_, hex, message) => {
      const error = await failureOf(() => collect(decode(chunked(Buffer.from(hex, 'hex'), 5))));
      expect(error.code).toBe('COMPRESSION_INVALID');
      expect(error.message).toContain(message);
    });

    it('refuses a checksum that differs', async () => {
      const bytes = fixture('sample.zst');
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
      const error = await failureOf(() => collect(decode(chunked(bytes, 5000))));
      expect(error.message).toMatch(/checksum/i);
    });
  });
});
