import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Encoder, encoderFor } from '@sediment/codec';
import { gzipCompressors } from '@sediment/posix';
import { describe, expect, it } from 'vitest';
import { nativeGunzip, nativeGzip } from '../../src/unpack/nativeCodecs.ts';

const hasLibdeflate = gzipCompressors() !== undefined;

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const refused: Encoder = () => {
  throw new Error('the portable encoder is not to be used');
};

describe('nativeGzip', () => {
  it('falls back where the host lacks the library', async () => {
    const portable = encoderFor('gzip');
    const gzip = nativeGzip(portable, 'libdeflate-that-is-missing.so.0');
    const data = [randomBytes(1_000_000), Buffer.alloc(1_000_000, 'text')];
    const bytes = await collect(gzip(Readable.from(data)));
    expect(bytes.equals(await collect(portable(Readable.from(data))))).toBe(true);
  });

  it.skipIf(!hasLibdeflate)(
    'compresses with the library, which gzip reads (needs libdeflate.so.0)',
    async () => {
      const gzip = nativeGzip(refused);
      for (const data of [Buffer.alloc(0), randomBytes(3_333_333), Buffer.alloc(5_000_000, 'some text. ')]) {
        const [bytes, again] = await Promise.all([
          collect(gzip(Readable.from([data]))),
          collect(gzip(Readable.from([data.subarray(0, 1000), data.subarray(1000)]))),
        ]);
        expect(gunzipSync(bytes).equals(data)).toBe(true);
        expect(bytes.equals(again)).toBe(true);
        expect(spawnSync('gzip', ['-t'], { input: bytes })).toMatchObject({ status: 0 });
      }
    },
  );

  it.skipIf(!hasLibdeflate)('makes smaller archives of a higher level', async () => {
    const data = readFileSync(new URL('../../../../LICENSE', import.meta.url));
    const size = async (level: number) =>
      (await collect(nativeGzip(refused)(Readable.from([data]), { level }))).length;
    expect(await size(9)).toBeLessThan(await size(1));
  });
});

describe('nativeGunzip', () => {
  const plain = Buffer.concat([Buffer.alloc(700_000, 'lines of text\n'), randomBytes(300_000)]);

  it.each([
    ['with the library, where there is one', undefined],
    ['without', 'libdeflate-that-is-missing.so.0'],
  ])('inflates %s, and finds bytes that were changed', async (_, library) => {
    const gunzip = nativeGunzip(library);
    const bytes = Buffer.concat([gzipSync(plain), gzipSync('another member')]);
    for (let round = 0; round < 2; round++) {
      const inflated = await collect(gunzip(Readable.from([bytes.subarray(0, 999), bytes.subarray(999)])));
      expect(inflated.equals(Buffer.concat([plain, Buffer.from('another member')]))).toBe(true);
    }
    const changed = gzipSync(plain);
    changed[changed.length - 8] = (changed.at(-8) as number) ^ 1;
    await expect(collect(gunzip(Readable.from([changed])))).rejects.toMatchObject({
      code: 'COMPRESSION_INVALID',
      message: expect.stringContaining('incorrect data check'),
    });
  });
});
