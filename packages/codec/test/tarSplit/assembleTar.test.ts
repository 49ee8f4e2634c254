import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdShared } from '../../src/hashing/sharedBlocks.ts';
import { assembleTar } from '../../src/tarSplit/assembleTar.ts';
import { readTarSplit } from '../../src/tarSplit/readTarSplit.ts';
import type { LayerFile } from '../../src/tarSplit/tarAssembler.ts';
import type { TarSplitEntry } from '../../src/tarSplit/tarSplitEntry.ts';
import { chunked, collect, failureOf } from '../support/bytes.ts';
import { fileOf } from '../support/layerFile.ts';
import { END, entry, header, pax } from '../support/tarBytes.ts';
import { readTar } from '../support/tarEvents.ts';
import { packGzip } from '../support/tarSplit.ts';

const concat = (...parts: Buffer[]) => Buffer.concat(parts);

/** Makes a tar again from its tar-split file and the contents that a reader unpacked. */
async function assemble(tar: Buffer, change: (name: string, content: Buffer) => Buffer = (_, c) => c) {
  const files = new Map<string, Buffer>();
  for (const { header: h, content } of readTar(tar).entries) files.set(h.name.toString('latin1'), content);
  const open = (name: Buffer) => {
    const key = name.toString('latin1');
    return fileOf(change(key, files.get(key) as Buffer), 100);
  };
  return collect(assembleTar(readTarSplit(chunked(packGzip(tar), 500)), open));
}

describe('assembleTar', () => {
  const kind = fc.oneof(
    fc.uint8Array({ maxLength: 1500 }).map((bytes) => ({ type: '0', content: Buffer.from(bytes) })),
    fc.constantFrom('1', '2', '3', '5', '6').map((type) => ({ type, content: Buffer.alloc(0) })),
  );
  const extended = fc.option(fc.uint8Array({ maxLength: 700 }));
  const item = fc.record({ kind, extended, claim: fc.nat(5000) });

  it('gives the same bytes for any tar', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { maxLength: 8 }),
        fc.uint8Array({ maxLength: 2000 }),
        async (items, trailing) => {
          const parts = items.flatMap(({ kind: { type, content }, extended: value, claim }, i) => [
            ...(value === null ? [] : [pax([['SCHILY.xattr.user.x', Buffer.from(value)]])]),
            entry({ name: `n${i}`, type, ...(type === '0' ? {} : { size: claim }) }, content),
          ]);
          const tar = concat(...parts, END, Buffer.from(trailing));
          expect((await assemble(tar)).equals(tar)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('shares its blocks with no other that begins meanwhile', async () => {
    const entries: TarSplitEntry[] = [{ type: 'segment', payload: randomBytes(2_000_000), position: 0 }];
    const begin = () => assembleTar([entries], () => fileOf(Buffer.alloc(0), 100));
    const [first, other] = [begin(), begin()];
    await first.next();
    // Nobody holds a block of the first one at that moment.
    const going = first.next();
    const begun = other.next();
    const chunks = [await going, await begun].map(({ value }) => value as Uint8Array);
    expect(chunks[0]?.buffer).not.toBe(chunks[1]?.buffer);
    await Promise.all([first.return(), other.return()]);
  });

  it('does not touch chunks that are still held', async () => {
    const payload = randomBytes(9_000_000);
    const entries: TarSplitEntry[] = [{ type: 'segment', payload, position: 0 }];
    const held: { chunk: Uint8Array; release(): void }[] = [];
    const kept: Buffer[] = [];
    const keep = () => {
      const { chunk, release } = held.shift() as (typeof held)[number];
      kept.push(Buffer.from(chunk));
      release();
    };
    for await (const chunk of assembleTar([entries], () => fileOf(Buffer.alloc(0), 100))) {
      held.push({ chunk, release: holdShared(chunk) as () => void });
      if (held.length > 2) setImmediate(keep);
    }
    while (held.length > 2) await new Promise((resolve) => setImmediate(resolve));
    while (held.length > 0) keep();
    expect(Buffer.concat(kept).equals(payload)).toBe(true);
  });

  it('gives the same bytes for sparse files', async () => {
    const tar = concat(
      pax([
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '5,2'],
        ['GNU.sparse.size', '5000'],
      ]),
      entry({ name: 's' }, 'ab'),
      entry({ name: 'after' }, 'content'),
      END,
    );
    expect((await assemble(tar)).equals(tar)).toBe(true);
  });

  it.each([
    ['changed', (c: Buffer) => Buffer.from(c).fill('x', 0, 1), { expected: '3c3eeee2d8100000' }],
    ['longer', (c: Buffer) => concat(c, c), { expected: 5, actual: 10 }],
    ['shorter', (c: Buffer) => c.subarray(0, 2), { expected: 5, actual: 2 }],
  ])('refuses a file that is %s', async (_, change, facts) => {
    const tar = concat(entry({ name: 'etc/a' }, 'hello'), END);
    const error = await failureOf(() => assemble(tar, (_name, content) => change(content)));
    expect(error).toMatchObject({
      code: 'FILE_INTEGRITY',
      message: 'file integrity checksum failed for "etc/a"',
      facts: { path: 'etc/a', ...facts },
    });
    expect(error.hint).toBeTruthy();
  });

  it('fills chunks to the end, with files and headers across their borders', async () => {
    const entries = Array.from({ length: 40 }, (_, i) =>
      entry({ name: `large${i}` }, Buffer.alloc(i * 5_000 + 1, `content ${i} `)),
    );
    const tar = concat(...entries, END, Buffer.alloc(1_500_000, 'trailing'));
    expect((await assemble(tar)).equals(tar)).toBe(true);
    const files = new Map(readTar(tar).entries.map(({ header: h, content }) => [String(h.name), content]));
    const batches = readTarSplit(chunked(packGzip(tar), 500));
    const sizes: number[] = [];
    for await (const chunk of assembleTar(batches, (name) => fileOf(files.get(String(name)) as Buffer))) {
      sizes.push(chunk.length);
    }
    expect(new Set(sizes.slice(0, -1))).toEqual(new Set([sizes[0]]));
    expect(sizes.reduce((sum, size) => sum + size)).toBe(tar.length);
  });

  it('closes a file whatever happens', async () => {
    const tar = concat(entry({ name: 'a' }, Buffer.alloc(3_000_000, 1)), END);
    let closed = 0;
    const open = () => ({ ...fileOf(Buffer.alloc(3_000_000, 2)), close: () => closed++ });
    const tarOf = () => assembleTar(readTarSplit(chunked(packGzip(tar), 500)), open);
    await failureOf(() => collect(tarOf()));
    expect(closed).toBe(1);
    for await (const _ of tarOf()) break;
    expect(closed).toBe(2);
  });

  it('passes the errors of a file through', async () => {
    const entries = [
      { type: 'file' as const, name: Buffer.from('gone'), size: 1, crc: Buffer.alloc(8, 1), position: 0 },
    ];
    const open = (name: Buffer): LayerFile => {
      throw new RangeError(`no ${name}`);
    };
    await expect(collect(assembleTar([entries], open))).rejects.toThrow(new RangeError('no gone'));
  });

  it("takes upstream's records of directories with a size for what they are", async () => {
    const block = header({ name: 'd', type: '5', size: 700 });
    const entries = [
      { type: 'segment' as const, payload: block, position: 0 },
      { type: 'file' as const, name: Buffer.from('d'), size: 700, crc: Buffer.alloc(8), position: 1 },
    ];
    const open = (): LayerFile => {
      throw new Error('must not be opened');
    };
    expect((await collect(assembleTar([entries], open))).equals(block)).toBe(true);
  });
});
