import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DeflateTurns, widthFor } from '../../src/compression/deflateTurns.ts';
import { BLOCK_BYTES, type ParallelGzipOptions, parallelGzip } from '../../src/compression/parallelGzip.ts';

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function gzipOf(data: Buffer, { cut = 65_536, ...options }: ParallelGzipOptions & { cut?: number } = {}) {
  async function* source() {
    const buffer = Buffer.alloc(cut);
    for (let start = 0; start < data.length; start += cut) {
      const length = data.copy(buffer, 0, start, start + cut);
      yield buffer.subarray(0, length);
      buffer.fill(0);
    }
  }
  return collect(parallelGzip(source(), options));
}

/** Compresses well, and refers far back. */
function textOf(length: number): Buffer {
  const lines: string[] = [];
  for (let i = 0; i * 60 < length; i++) {
    lines.push(
      `${i % 911} ${createHash('sha1')
        .update(String(i % 700))
        .digest('hex')} line of text\n`,
    );
  }
  return Buffer.concat([Buffer.from(lines.join('')), Buffer.alloc(length)]).subarray(0, length);
}

describe('parallelGzip', () => {
  const sizes = [0, 1, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES, 5_000_001];

  it.each(sizes)('is read by zlib and by gzip: %i bytes', async (size) => {
    for (const data of [textOf(size), randomBytes(size)]) {
      const bytes = await gzipOf(data);
      expect(gunzipSync(bytes).equals(data)).toBe(true);
      const { status, stdout, stderr } = spawnSync('gzip', ['-dc'], {
        input: bytes,
        maxBuffer: 2 * size + 1000,
      });
      expect([status, String(stderr)]).toEqual([0, '']);
      expect(stdout.equals(data)).toBe(true);
      expect(spawnSync('gzip', ['-t'], { input: bytes }).status).toBe(0);
      // Nothing is lost by the cutting but for the ends of blocks.
      expect(bytes.length).toBeLessThan(size * 1.001 + 40);
    }
  });

  it('gives away all that it yields: callers may overwrite it', async () => {
    const pieces: Uint8Array[] = [];
    for await (const piece of parallelGzip(Readable.from([]))) pieces.push(piece);
    expect(gunzipSync(Buffer.concat(pieces))).toHaveLength(0);
    for (const piece of pieces) piece.fill(0xee);
    expect(gunzipSync(await gzipOf(Buffer.from('next')))).toEqual(Buffer.from('next'));
    expect(gunzipSync(await gzipOf(Buffer.alloc(0)))).toHaveLength(0);
  });

  it('refers to the block before', async () => {
    const block = randomBytes(20_000);
    const data = Buffer.concat([Buffer.alloc(BLOCK_BYTES - block.length), block, block]);
    expect((await gzipOf(data)).length).toBeLessThan(1.2 * block.length);
  });

  it('gives the same bytes whatever the number of threads and the chunks', async () => {
    const data = Buffer.concat([textOf(2_000_000), randomBytes(700_000), textOf(1_234_567)]);
    const one = await gzipOf(data, { turns: new DeflateTurns(1) });
    for (const width of [2, 3, 8]) {
      for (const cut of [4097, 1_000_000, data.length]) {
        expect((await gzipOf(data, { cut, turns: new DeflateTurns(width) })).equals(one)).toBe(true);
      }
    }
    const both = await Promise.all([gzipOf(data), gzipOf(data)]);
    expect(both.every((bytes) => bytes.equals(one))).toBe(true);
  });

  it('is one member with the header that Go writes', async () => {
    const bytes = await gzipOf(textOf(10));
    expect(bytes.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
    expect(bytes.readUInt32LE(bytes.length - 4)).toBe(10);
  });

  it('obeys the level', async () => {
    const data = textOf(1_500_000);
    const sizes = await Promise.all(
      [1, 4, 9].map(async (level) => {
        const bytes = await gzipOf(data, { level });
        expect(gunzipSync(bytes).equals(data)).toBe(true);
        return bytes.length;
      }),
    );
    expect(sizes[2]).toBeLessThan(sizes[0] as number);
    expect(await gzipOf(data)).toHaveLength(sizes[1] as number);
  });

  it('passes an error of the source on', async () => {
    async function* failing() {
      yield textOf(2 * BLOCK_BYTES + 5);
      throw new RangeError('mine');
    }
    await expect(collect(parallelGzip(failing()))).rejects.toThrow(RangeError);
  });

  it('ends the source when it is ended, and begins no further blocks', async () => {
    let ended = false;
    async function* endless() {
      try {
        for (;;) yield randomBytes(100_000);
      } finally {
        ended = true;
      }
    }
    const turns = new DeflateTurns(1);
    for await (const chunk of parallelGzip(endless(), { turns })) if (chunk.length > 10) break;
    expect(ended).toBe(true);
    // Whoever comes next has not to wait for what nobody wants any more.
    await turns.take(async () => undefined);
  });

  it('takes turns that are handed on after failures', async () => {
    const turns = new DeflateTurns(1);
    await expect(turns.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const data = textOf(700_000);
    expect(gunzipSync(await gzipOf(data, { turns })).equals(data)).toBe(true);
  });

  it('reads a stream of Node', async () => {
    const data = textOf(1_000_000);
    const bytes = await collect(parallelGzip(Readable.from([data])));
    expect(gunzipSync(bytes).equals(data)).toBe(true);
  });
});

describe('widthFor', () => {
  it('leaves a thread of the pool to others', () => {
    expect(widthFor(1, 4)).toBe(1);
    expect(widthFor(2, 4)).toBe(2);
    expect(widthFor(64, 4)).toBe(3);
    expect(widthFor(8, 1)).toBe(1);
  });
});
