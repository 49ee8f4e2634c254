import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { isStorageError } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { createZstdDecoder, createZstdEncoder, zstdUnavailableReason, zstdVersion } from '../src/index.ts';
import { output } from './support/run.ts';

const hasZstd = zstdUnavailableReason() === undefined && output('sh', '-c', 'command -v zstd || true') !== '';

function zstd(data: Uint8Array, ...args: string[]): Buffer {
  return execFileSync('zstd', ['-q', '-c', ...args], { input: data, maxBuffer: 2 ** 30 });
}

async function* inChunks(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < data.length; start += size) yield data.subarray(start, start + size);
}

async function decode(data: Uint8Array, chunkSize = 65_536): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const decoder = createZstdDecoder();
  if (decoder === undefined) throw new Error('no libzstd');
  for await (const chunk of decoder(inChunks(data, chunkSize))) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Bytes that compress, but not to nothing. */
function sample(bytes: number): Buffer {
  const words = Array.from({ length: Math.ceil(bytes / 40) }, (_, index) =>
    createHash('sha1')
      .update(`${index % 5000}`)
      .digest('hex'),
  );
  return Buffer.from(words.join('')).subarray(0, bytes);
}

/** A frame that decoders pass over (zstd format, "Skippable Frames"). */
function skippable(payload: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a53, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, Buffer.from(payload)]);
}

const BAD = { code: 'COMPRESSION_INVALID' };

describe.skipIf(!hasZstd)('zstd by libzstd (needs libzstd.so.1 and zstd)', () => {
  it.each([
    [3_500_000, 65_536],
    [3_500_000, 1_000_003],
    [2 * 1024 * 1024, 4096],
    [40_000, 1],
    [0, 10],
  ])('decodes %d bytes from chunks of %d', async (bytes, chunkSize) => {
    const data = sample(bytes);
    expect((await decode(zstd(data), chunkSize)).equals(data)).toBe(true);
  });

  it('decodes what compresses extremely well', async () => {
    const data = Buffer.alloc(9 * 1024 * 1024);
    expect((await decode(zstd(data), 7)).equals(data)).toBe(true);
  });

  it('goes on over several frames, empty and skippable ones', async () => {
    const parts = [skippable('first'), zstd(sample(100_000)), zstd(Buffer.alloc(0)), skippable('middle')];
    const data = Buffer.concat([...parts, zstd(sample(50)), skippable('')]);
    expect((await decode(data, 1000)).equals(Buffer.concat([sample(100_000), sample(50)]))).toBe(true);
  });

  it('decodes frames with a window beyond the default of libzstd', async () => {
    const data = sample(300_000);
    expect((await decode(zstd(data, '--long=29', '--ultra', '-20'), 9999)).equals(data)).toBe(true);
  });

  it('refuses truncated data at every cut', async () => {
    const data = zstd(sample(3000));
    for (let length = 0; length < data.length; length += 1) {
      await expect(decode(data.subarray(0, length)), `${length} bytes`).rejects.toMatchObject(BAD);
    }
  });

  it('refuses garbage behind a frame and tells where', async () => {
    const data = zstd(sample(3000));
    const error = await decode(Buffer.concat([data, Buffer.from('garbage')]), 100).catch((reason) => reason);
    expect(isStorageError(error, 'COMPRESSION_INVALID')).toBe(true);
    expect(error.message).toContain('zstd data is damaged at byte');
    expect(error.facts.offset).toBeGreaterThanOrEqual(data.length - 100);
  });

  it('refuses flipped bits by the checksum', async () => {
    const data = zstd(sample(3000), '--check');
    const last = data.length - 1;
    data[last] = (data[last] as number) ^ 1;
    await expect(decode(data)).rejects.toMatchObject(BAD);
  });

  it('frees its memory when the reader stops early', async () => {
    const decoder = createZstdDecoder();
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield zstd(sample(5_000_000));
      } finally {
        closed = true;
      }
    }
    for await (const chunk of decoder?.(source()) ?? []) {
      expect(chunk.length).toBe(1024 * 1024);
      break;
    }
    expect(closed).toBe(true);
  });

  it('knows its version', () => {
    expect(zstdVersion()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe.skipIf(!hasZstd)('zstd encoder', () => {
  const encode = async (data: Uint8Array, chunkSize: number, level?: number): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    const encoder = createZstdEncoder();
    if (encoder === undefined) throw new Error('no libzstd');
    const options = level === undefined ? {} : { level };
    for await (const chunk of encoder(inChunks(data, chunkSize), options)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };

  it.each([
    ['nothing', Buffer.alloc(0), 1],
    ['a byte', Buffer.from('x'), 1],
    ['text in small chunks', sample(300_000), 777],
    ['more than an output buffer', sample(30_000_000), 1 << 20],
    ['what does not compress', createHash('sha512').update('x').digest(), 64],
  ] as const)('makes of %s what the zstd command reads', async (_, data, chunkSize) => {
    const encoded = await encode(data, chunkSize);
    const decoded = execFileSync('zstd', ['-q', '-d', '-c'], { input: encoded, maxBuffer: 2 ** 30 });
    expect(decoded.equals(data)).toBe(true);
    expect((await decode(encoded)).equals(data)).toBe(true);
  });

  it('compresses more at a higher level', async () => {
    const words = sample(8192).toString('latin1').match(/.{16}/gs) as string[];
    const data = Buffer.from([...sample(60_000)].map((byte, i) => words[(byte * i) % 500]).join(' '));
    const [fast, small] = [await encode(data, 1 << 16, 1), await encode(data, 1 << 16, 19)];
    expect(small.length).toBeLessThan(fast.length);
    expect((await decode(small)).equals(data)).toBe(true);
  });
});
