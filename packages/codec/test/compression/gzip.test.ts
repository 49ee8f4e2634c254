import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gunzip } from '../../src/compression/gzip.ts';
import { gunzipByStream } from '../../src/compression/gzipStream.ts';
import { createSyncInflater } from '../../src/compression/syncInflater.ts';
import { chunked, collect, failureOf, lines, sample } from '../support/bytes.ts';
import { testDecoder } from '../support/decoderContract.ts';

/** A member with every optional header field (RFC 1952 §2.3). */
function memberWithAllFields(content: Buffer): Buffer {
  const plain = gzipSync(content);
  const head = Buffer.concat([plain.subarray(0, 10), Buffer.from('\x03\x00abcname\0a comment\0', 'latin1')]);
  head[3] = 0x1f;
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc32(head) & 0xffff);
  return Buffer.concat([head, check, plain.subarray(10)]);
}

const content = sample(20_000);
const empty = Buffer.alloc(0);
const cases = [
  { name: 'a member', compressed: gzipSync(content), content },
  { name: 'nothing', compressed: gzipSync(empty), content: empty },
  { name: 'stored blocks', compressed: gzipSync(content, { level: 0 }), content },
  { name: 'more than the output buffer', compressed: gzipSync(lines(3_000_000)), content: lines(3_000_000) },
] as const;

describe('this Node', () => {
  it('has the handle that the fast decoder drives', () => {
    const inflater = createSyncInflater();
    expect(inflater).toBeDefined();
    inflater?.close();
  });
});

describe.each([
  ['the handle', gunzip],
  ['the stream', gunzipByStream],
])('gzip by %s', (_, decode) => {
  const refused = (bytes: Buffer) => failureOf(() => collect(decode(chunked(bytes, 1000))));

  testDecoder({ decode, cases, runs: 30 });

  it('skips all optional header fields, in any chunks', async () => {
    for (const size of [1, 7, 100_000]) {
      expect(await collect(decode(chunked(memberWithAllFields(content), size)))).toEqual(content);
    }
  });

  it('decodes thousands of small members', async () => {
    const member = gzipSync('x');
    const all = Buffer.concat(Array.from({ length: 3000 }, () => member));
    expect((await collect(decode(chunked(all, 4096)))).toString()).toBe('x'.repeat(3000));
  });

  it.each([
    ['a checksum that differs', 8, 'incorrect data check'],
    ['a length that differs', 4, 'incorrect length check'],
  ])('refuses %s', async (_what, fromEnd, message) => {
    const bytes = gzipSync(content);
    bytes[bytes.length - fromEnd] = (bytes[bytes.length - fromEnd] as number) ^ 1;
    expect((await refused(bytes)).message).toContain(message);
  });

  it('refuses a header checksum that differs', async () => {
    const bytes = memberWithAllFields(content);
    bytes[12] = (bytes[12] as number) ^ 1;
    expect((await refused(bytes)).message).toMatch(/header/);
  });

  it('refuses an empty source and an unknown method', async () => {
    expect((await refused(empty)).code).toBe('COMPRESSION_INVALID');
    const bytes = gzipSync(content);
    bytes[2] = 7;
    expect((await refused(bytes)).code).toBe('COMPRESSION_INVALID');
  });
});

describe('gunzip', () => {
  it('fills its chunks to the end, a multiple of 512', async () => {
    const sizes: number[] = [];
    for await (const chunk of gunzip(chunked(gzipSync(lines(3_000_000)), 10_000))) sizes.push(chunk.length);
    expect(sizes).toEqual([...Array.from({ length: 11 }, () => 262_144), 3_000_000 - 11 * 262_144]);
  });

  it('puts its chunks where it is offered room, of any length', async () => {
    const offers = [1000, undefined, 300_000, 1, 4096].map((n) => (n === undefined ? n : Buffer.alloc(n)));
    const rest = [...offers];
    const chunks: Buffer[] = [];
    const lengths: number[] = [];
    const offered: boolean[] = [];
    for await (const chunk of gunzip(chunked(gzipSync(lines(600_000)), 777), {
      output: () => rest.shift(),
    })) {
      chunks.push(Buffer.from(chunk));
      lengths.push(chunk.length);
      offered.push(offers.some((offer) => offer?.buffer === chunk.buffer));
    }
    expect(Buffer.concat(chunks).equals(lines(600_000))).toBe(true);
    expect(lengths).toEqual([1000, 262_144, 300_000, 1, 4096, 600_000 - 567_241]);
    expect(offered).toEqual([true, false, true, true, true, false]);
  });

  it('takes the checksum that it is given, and still compares it', async () => {
    const bytes = chunked(gzipSync(content), 1000);
    const seen: number[] = [];
    const counting = (part: Uint8Array, value: number) => {
      seen.push(part.length);
      return crc32(part, value);
    };
    expect(await collect(gunzip(bytes, { crc32: counting }))).toEqual(content);
    expect(seen.reduce((sum, length) => sum + length, 0)).toBe(content.length);
    const error = await failureOf(() =>
      collect(gunzip(chunked(gzipSync(content), 1000), { crc32: () => 5 })),
    );
    expect(error.message).toContain('incorrect data check');
  });

  it('does not begin when there is no room because the work was stopped', async () => {
    const stop = () => {
      throw new Error('stopped');
    };
    await expect(collect(gunzip(chunked(gzipSync('x'), 10), { output: stop }))).rejects.toThrow('stopped');
  });

  it('says where trailing bytes begin', async () => {
    const member = gzipSync('x');
    const error = await failureOf(() =>
      collect(gunzip(chunked(Buffer.concat([member, Buffer.alloc(512)]), 10))),
    );
    expect(error.message).toBe(`gzip data is followed by bytes of another kind at byte ${member.length}`);
    expect(error.facts.offset).toBe(member.length);
  });
});

describe('the inflater', () => {
  it('tells how far it got and where a deflate stream ends', () => {
    const inflater = createSyncInflater();
    if (inflater === undefined) throw new Error('no handle');
    const input = Buffer.concat([deflateRawSync(Buffer.alloc(100, 'a')), Buffer.from('rest')]);
    const output = Buffer.alloc(150);
    for (let round = 0; round < 2; round++) {
      expect({ ...inflater.step(input, 0, output, 0) }).toEqual({
        consumed: input.length - 4,
        produced: 100,
        ended: true,
      });
      inflater.reset();
    }
    expect(() => inflater.step(Buffer.alloc(10, 0xff), 0, output, 0)).toThrow('invalid block type');
    inflater.close();
  });
});
