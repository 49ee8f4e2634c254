import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DeflateTurns } from '../../src/compression/deflateTurns.ts';
import { gunzip } from '../../src/compression/gzip.ts';
import { gzipMembers, MEMBER_BYTES, type MemberCompressor } from '../../src/compression/gzipMembers.ts';

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A source that reuses its buffer. */
async function* inChunks(data: Uint8Array, cut: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(cut);
  for (let start = 0; start < data.length; start += cut) {
    const part = data.subarray(start, start + cut);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
    buffer.fill(0);
  }
}

/** Compressors that reuse their output, take a while, and tell what became of them. */
class Compressors {
  opened = 0;
  closed = 0;
  busy = 0;
  mostBusy = 0;
  blocks = 0;
  readonly levels = new Set<number>();
  failAt = Number.POSITIVE_INFINITY;

  open = ({ level, blockBytes }: { level: number; blockBytes: number }): MemberCompressor => {
    this.opened++;
    this.levels.add(level);
    const output = Buffer.alloc(blockBytes * 1.1);
    let isBusy = false;
    return {
      compress: async (block) => {
        expect(isBusy).toBe(false);
        isBusy = true;
        this.mostBusy = Math.max(this.mostBusy, ++this.busy);
        const number = ++this.blocks;
        await setTimeout(number % 3);
        this.busy--;
        isBusy = false;
        if (number === this.failAt) throw new RangeError('of the compressor');
        const member = gzipSync(block, { level });
        output.fill(0).set(member);
        return output.subarray(0, member.length);
      },
      close: () => {
        expect(isBusy).toBe(false);
        this.closed++;
      },
    };
  };

  encoder(width = 2) {
    return gzipMembers({ open: this.open, defaultLevel: 3, turns: new DeflateTurns(width) });
  }
}

async function allClosed(compressors: Compressors): Promise<void> {
  for (let tries = 0; compressors.closed < compressors.opened && tries < 100; tries++) await setTimeout(5);
  expect([compressors.closed, compressors.busy]).toEqual([compressors.opened, 0]);
}

function members(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf('1f8b0800', 0, 'hex'); at >= 0; at = bytes.indexOf('1f8b0800', at + 1, 'hex')) {
    count++;
  }
  return count;
}

describe('gzipMembers', () => {
  const B = MEMBER_BYTES;
  it.each([
    [0, 1],
    [1, 1],
    [B - 1, 1],
    [B, 1],
    [B + 1, 2],
    [3 * B, 3],
    [4_500_001, 9],
  ])('is read by zlib, by gzip and by us: %i bytes in %i members', async (size, count) => {
    const data = randomBytes(Math.ceil(size / 2))
      .toString('hex')
      .slice(0, size);
    const compressors = new Compressors();
    const bytes = await collect(compressors.encoder()(inChunks(Buffer.from(data), 70_000)));
    expect(members(bytes)).toBe(count);
    expect(String(gunzipSync(bytes)) === data).toBe(true);
    expect(String(await collect(gunzip(inChunks(bytes, 50_000)))) === data).toBe(true);
    expect(spawnSync('gzip', ['-t'], { input: bytes })).toMatchObject({ status: 0 });
    expect(compressors.mostBusy).toBeLessThanOrEqual(2);
    // As many as work, one whose result is taken away, and one that is filled.
    expect(compressors.opened).toBeLessThanOrEqual(4);
    await allClosed(compressors);
  });

  it('gives the same bytes whatever the number of threads and the chunks', async () => {
    const data = Buffer.concat([
      Buffer.alloc(1_500_000, 'some text'),
      randomBytes(700_000),
      Buffer.alloc(123),
    ]);
    const one = await collect(new Compressors().encoder(1)(inChunks(data, data.length)));
    for (const width of [2, 3, 8]) {
      for (const cut of [4097, 1_000_000]) {
        expect((await collect(new Compressors().encoder(width)(inChunks(data, cut)))).equals(one)).toBe(true);
      }
    }
  });

  it('takes the level that is asked for, or the default', async () => {
    const compressors = new Compressors();
    await collect(compressors.encoder()(inChunks(Buffer.from('x'), 1), { level: 9 }));
    await collect(compressors.encoder()(inChunks(Buffer.from('x'), 1)));
    expect([...compressors.levels]).toEqual([9, 3]);
  });

  it('passes an error of the source on, and closes what it opened', async () => {
    const compressors = new Compressors();
    async function* failing() {
      yield randomBytes(2 * B + 5);
      throw new RangeError('mine');
    }
    await expect(collect(compressors.encoder()(failing()))).rejects.toThrow('mine');
    await allClosed(compressors);
  });

  it('passes an error of the compressor on, ends the source, and closes what it opened', async () => {
    const compressors = new Compressors();
    compressors.failAt = 3;
    let ended = false;
    async function* endless() {
      try {
        for (;;) yield randomBytes(100_000);
      } finally {
        ended = true;
      }
    }
    await expect(collect(compressors.encoder()(endless()))).rejects.toThrow('of the compressor');
    expect(ended).toBe(true);
    await allClosed(compressors);
  });

  it('begins no further members when it is ended', async () => {
    const compressors = new Compressors();
    async function* endless() {
      for (;;) yield randomBytes(B);
    }
    for await (const _ of compressors.encoder()(endless())) break;
    const { blocks } = compressors;
    await allClosed(compressors);
    expect(compressors.blocks).toBeLessThanOrEqual(blocks + 1);
  });

  it('fails when no compressor can be opened', async () => {
    const open = () => {
      throw new RangeError('no memory');
    };
    const encoder = gzipMembers({ open, defaultLevel: 1 });
    await expect(collect(encoder(inChunks(Buffer.from('x'), 1)))).rejects.toThrow('no memory');
  });
});
