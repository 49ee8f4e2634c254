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
  const plain = Buffer.concat([Buffer.alloc(300_000, 'lines of text\n'), randomBytes(100_000)]);
  const missing = { isal: 'libisal-that-is-missing.so.2', libdeflate: 'libdeflate-that-is-missing.so.0' };

  for (const [how, libraries] of [
    ['with the libraries that there are', {}],
    ['without ISA-L', { isal: missing.isal }],
    ['without any', missing],
  ] as const) {
    describe(how, () => {
      const gunzip = nativeGunzip(libraries);

      it('inflates several members, cut anywhere, into memory of any size', async () => {
        const bytes = Buffer.concat([gzipSync(plain), gzipSync('another member'), gzipSync('')]);
        const expected = Buffer.concat([plain, Buffer.from('another member')]);
        for (const [size, room] of [
          [1, 4096],
          [7, 512],
          [4096, 1024 * 1024],
          [bytes.length, 65536],
        ] as const) {
          const output = () => Buffer.alloc(room);
          const inflated = await collect(gunzip(Readable.from(cut(bytes, size)), { output }));
          expect(inflated.equals(expected)).toBe(true);
        }
      });

      it('finds bytes that were changed', async () => {
        const changed = gzipSync(plain);
        changed[changed.length - 8] = (changed.at(-8) as number) ^ 1;
        await expect(collect(gunzip(Readable.from([changed])))).rejects.toMatchObject({
          code: 'COMPRESSION_INVALID',
          message: expect.stringContaining('incorrect data check'),
        });
        const header = gzipSync(plain);
        // A block of a type that there is none of.
        header[10] = 0x07;
        await expect(collect(gunzip(Readable.from([header])))).rejects.toMatchObject({
          code: 'COMPRESSION_INVALID',
          message: expect.stringContaining('invalid block'),
        });
      });

      it('finds out where bytes are missing, and what is behind the end', async () => {
        const bytes = gzipSync(plain);
        for (const length of [5, 100, bytes.length - 9, bytes.length - 8, bytes.length - 1]) {
          const short = bytes.subarray(0, length);
          await expect(collect(gunzip(Readable.from(cut(short, 1000))))).rejects.toMatchObject({
            code: 'COMPRESSION_INVALID',
          });
        }
        const long = Buffer.concat([bytes, Buffer.from('rest')]);
        await expect(collect(gunzip(Readable.from(cut(long, 1000))))).rejects.toMatchObject({
          code: 'COMPRESSION_INVALID',
          message: expect.stringContaining(`at byte ${bytes.length}`),
        });
      });
    });
  }
});

function cut(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(Buffer.from(bytes.subarray(at, at + size)));
  return pieces;
}
