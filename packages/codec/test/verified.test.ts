import { digestOf, newHasher } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { counted } from '../src/counted.ts';
import { verified } from '../src/verified.ts';
import { chunked, collect, failureOf } from './support/bytes.ts';

const BYTES = Buffer.from('some content');
const digest = digestOf(BYTES);
const what = 'blob of layer 2';

describe('verified', () => {
  it.each([
    ['digest and size', { digest, size: BYTES.length, what }],
    ['digest', { digest, what }],
    ['sha512', { digest: digestOf(BYTES, 'sha512'), what }],
    ['size', { size: BYTES.length, what }],
    ['nothing', { what }],
  ])('passes what agrees: %s', async (_, want) => {
    expect(await collect(verified(chunked(BYTES, 5), want))).toEqual(BYTES);
  });

  it('fails instead of ending when the digest differs', async () => {
    const seen: number[] = [];
    const error = await failureOf(async () => {
      for await (const chunk of verified(chunked(BYTES, 5), { digest: digestOf('other'), what })) {
        seen.push(chunk.length);
      }
    });
    expect(seen).toEqual([5, 5, 2]);
    expect(error).toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: `blob of layer 2: Digest did not match, expected ${digestOf('other')}, got ${digest}`,
      facts: { expected: digestOf('other'), actual: digest },
    });
    expect(error.hint).toContain('fetch it again');
  });

  it('fails when it is too short', async () => {
    const error = await failureOf(() => collect(verified(chunked(BYTES, 5), { size: 13, digest, what })));
    expect(error).toMatchObject({ code: 'SIZE_MISMATCH', facts: { expected: 13, actual: 12 } });
  });

  it('fails as soon as it is too long, closes the source and passes no excess on', async () => {
    let pulled = 0;
    let closed = false;
    async function* endless() {
      try {
        for (;;) {
          pulled++;
          yield Buffer.alloc(10);
        }
      } finally {
        closed = true;
      }
    }
    let seen = 0;
    const error = await failureOf(async () => {
      for await (const chunk of verified(endless(), { size: 25, what })) seen += chunk.length;
    });
    expect(error).toMatchObject({
      code: 'SIZE_MISMATCH',
      message: `${what}: expected 25 bytes, got at least 30`,
    });
    expect({ seen, pulled, closed }).toEqual({ seen: 20, pulled: 3, closed: true });
  });
});

describe('counted', () => {
  it('counts and hashes what passes', async () => {
    const hasher = newHasher();
    const stream = counted(chunked(BYTES, 5), hasher);
    expect(await collect(stream)).toEqual(BYTES);
    expect([stream.size, hasher.digest()]).toEqual([BYTES.length, digest]);
  });
});
