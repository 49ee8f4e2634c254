import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encoderFor } from '../../src/index.ts';

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('encoders', () => {
  it('hands the source through when nothing is to be compressed', async () => {
    async function* source() {
      yield Buffer.from('plain');
    }
    expect(String(await collect(encoderFor('none')(source())))).toBe('plain');
  });

  it('makes gzip of a source that reuses its buffer', async () => {
    const data = randomBytes(1_000_000);
    async function* source() {
      const block = Buffer.alloc(60_000);
      for (let start = 0; start < data.length; start += block.length) {
        const length = data.copy(block, 0, start, start + block.length);
        yield block.subarray(0, length);
        block.fill(0);
      }
    }
    expect(gunzipSync(await collect(encoderFor('gzip')(source()))).equals(data)).toBe(true);
    expect(gunzipSync(await collect(encoderFor('gzip')(Readable.from([]))))).toHaveLength(0);
  });

  it('compresses more at a higher level', async () => {
    const data = readFileSync(new URL('../../../../LICENSE', import.meta.url));
    const sizes: number[] = [];
    for (const level of [1, 9]) {
      const bytes = await collect(encoderFor('gzip')(Readable.from([data]), { level }));
      expect(gunzipSync(bytes).equals(data)).toBe(true);
      sizes.push(bytes.length);
    }
    expect(sizes[1]).toBeLessThan(sizes[0] as number);
  });

  it('lets errors of the source through, and ends the source when it is not wanted any more', async () => {
    async function* failing() {
      yield Buffer.from('x');
      throw new RangeError('mine');
    }
    await expect(collect(encoderFor('gzip')(failing()))).rejects.toThrow(RangeError);
    let ended = false;
    async function* endless() {
      try {
        for (;;) yield randomBytes(100_000);
      } finally {
        ended = true;
      }
    }
    for await (const chunk of encoderFor('gzip')(endless())) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(ended).toBe(true);
  });

  it.each([
    ['bzip2', 'tar.bz2'],
    ['xz', 'tar.xz'],
  ] as const)('does not write %s', (compression, name) => {
    expect(() => encoderFor(compression)).toThrow(
      expect.objectContaining({
        code: 'COMPRESSION_UNSUPPORTED',
        message: `unsupported compression format ${name}`,
      }),
    );
  });
});
