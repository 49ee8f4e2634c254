import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type GzipCompressorOptions, gzipCompressors, type OpenGzipCompressor } from '../src/index.ts';
import { bundleSources } from './support/bundle.ts';
import { tempDir } from './support/tempDir.ts';

const found = gzipCompressors();

function textOf(bytes: number): Buffer {
  const lines = Array.from({ length: Math.ceil(bytes / 30) }, (_, index) =>
    createHash('sha1')
      .update(String(index % 900))
      .digest('hex'),
  );
  return Buffer.from(lines.join('\n')).subarray(0, bytes);
}

describe.skipIf(found === undefined)('gzip by libdeflate (needs libdeflate.so.0)', () => {
  const open = found as OpenGzipCompressor;
  const gzip = async (data: Uint8Array, options: Partial<GzipCompressorOptions> = {}): Promise<Buffer> => {
    const compressor = open({ level: 1, blockBytes: data.length, ...options });
    try {
      return Buffer.from(await compressor.compress(data));
    } finally {
      compressor.close();
    }
  };

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte', Buffer.from('x')],
    ['text', textOf(300_000)],
    ['zeroes', Buffer.alloc(1_000_000)],
    ['what does not compress', randomBytes(500_000)],
  ])('makes a member of %s', async (_, data) => {
    for (const level of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const member = await gzip(data, { level });
      expect(gunzipSync(member).equals(data)).toBe(true);
      expect(spawnSync('gzip', ['-t'], { input: member })).toMatchObject({ status: 0 });
      expect(member.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
      expect(member.readUInt32LE(member.length - 4)).toBe(data.length);
    }
  });

  it('obeys the level, and gives the same bytes again', async () => {
    const data = textOf(400_000);
    const fast = await gzip(data);
    expect((await gzip(data, { level: 9 })).length).toBeLessThan(fast.length);
    expect((await gzip(data, { blockBytes: 900_000 })).equals(fast)).toBe(true);
  });

  it('compresses one block after the other, and side by side with others', async () => {
    const blocks = Array.from({ length: 8 }, (_, index) =>
      Buffer.concat([textOf(200_000), randomBytes(index)]),
    );
    const alone = await Promise.all(blocks.map((block) => gzip(block)));
    const one = open({ level: 1, blockBytes: 300_000 });
    for (const [index, block] of blocks.entries()) {
      expect(alone[index]?.equals(await one.compress(block))).toBe(true);
    }
    one.close();
  });

  it('says when a block does not fit', async () => {
    const compressor = open({ level: 1, blockBytes: 10 });
    await expect(compressor.compress(randomBytes(10_000))).rejects.toMatchObject({ code: 'IO' });
    compressor.close();
  });

  it('refuses a level that libdeflate does not know', () => {
    expect(() => open({ level: 99, blockBytes: 10 })).toThrow(expect.objectContaining({ code: 'IO' }));
  });

  it('lets the program end while blocks are compressed', async () => {
    const program = await bundleSources(
      `import { gzipCompressors } from './index.ts';
      const open = gzipCompressors();
      for (let i = 0; i < 6; i++) {
        open({ level: 9, blockBytes: 5_000_000 }).compress(Buffer.alloc(5_000_000, 'some text ' + i));
      }
      setImmediate(() => process.exit(7));`,
      tempDir(),
    );
    const { status, signal, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' });
  });
});

it('finds nothing where the library is missing', () => {
  expect(gzipCompressors('libdeflate-that-is-missing.so.0')).toBeUndefined();
});
