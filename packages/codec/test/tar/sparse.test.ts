import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SparseExpander } from '../../src/tar/sparseExpander.ts';
import { cutAt } from '../support/bytes.ts';
import { END, entry, GNU, header, padded, pax } from '../support/tarBytes.ts';
import { readTar } from '../support/tarEvents.ts';

const concat = (...parts: Buffer[]) => Buffer.concat(parts);
/** "AAA" at 10, "BB" at 700, 1000 bytes in all. */
const DENSE = Buffer.alloc(1000);
DENSE.write('AAA', 10);
DENSE.write('BB', 700);
const RANGES = [
  { offset: 10, length: 3 },
  { offset: 700, length: 2 },
];
const next = header({ name: 'next' });

const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
const oldEntries = (pairs: number[][]) => pairs.flat().map(octal).join('');

describe('sparse files are expanded', () => {
  it.each<[string, Buffer]>([
    [
      'PAX 0.0',
      concat(
        pax([
          ['GNU.sparse.size', '1000'],
          ['GNU.sparse.numblocks', '2'],
          ['GNU.sparse.offset', '10'],
          ['GNU.sparse.numbytes', '3'],
          ['GNU.sparse.offset', '700'],
          ['GNU.sparse.numbytes', '2'],
        ]),
        entry({ name: 'sparse' }, 'AAABB'),
      ),
    ],
    [
      'PAX 0.1',
      concat(
        pax([
          ['GNU.sparse.name', 'sparse'],
          ['GNU.sparse.size', '1000'],
          ['GNU.sparse.numblocks', '2'],
          ['GNU.sparse.map', '10,3,700,2'],
        ]),
        entry({ name: 'GNUSparseFile.1/x' }, 'AAABB'),
      ),
    ],
    [
      'PAX 1.0',
      concat(
        pax([
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.name', 'sparse'],
          ['GNU.sparse.realsize', '1000'],
        ]),
        entry({ name: 'GNUSparseFile.1/x' }, concat(padded('2\n10\n3\n700\n2\n'), Buffer.from('AAABB'))),
      ),
    ],
    [
      'old GNU',
      entry(
        {
          name: 'sparse',
          type: 'S',
          magic: GNU,
          patch: {
            386: oldEntries([
              [10, 3],
              [700, 2],
            ]),
            483: octal(1000),
          },
        },
        'AAABB',
      ),
    ],
  ])('%s', (_, tar) => {
    const whole = concat(tar, next, END);
    const { entries, stream } = readTar(whole);
    expect(entries.map((e) => e.header.name.toString())).toEqual(['sparse', 'next']);
    expect(entries[0]?.header).toMatchObject({ size: 1000, sparse: RANGES });
    expect(entries[0]?.content.equals(DENSE)).toBe(true);
    expect(stream.equals(whole)).toBe(true); // the stored bytes are raw
  });

  it('reads the extension blocks of old GNU maps', () => {
    const pairs = Array.from({ length: 27 }, (_, i) => [i * 10, 1]);
    const tar = concat(
      header({
        type: 'S',
        magic: GNU,
        size: 27,
        patch: { 386: oldEntries(pairs.slice(0, 4)), 482: '\x01', 483: octal(300) },
      }),
      Buffer.from(`${oldEntries(pairs.slice(4, 25))}\x01`.padEnd(512, '\0'), 'latin1'),
      padded(oldEntries(pairs.slice(25))),
      padded('x'.repeat(27)),
      next,
    );
    const { entries } = readTar(tar);
    expect(entries[0]?.header).toMatchObject({ typeflag: 0x53, size: 300 });
    expect(entries[0]?.content.toString('latin1')).toBe(
      `${'x'.padEnd(10, '\0').repeat(27)}`.padEnd(300, '\0'),
    );
    expect(entries[1]?.header.name.toString()).toBe('next');
  });

  it('expands a map without ranges to zeros', () => {
    const tar = concat(
      pax([
        ['GNU.sparse.major', '0'],
        ['GNU.sparse.minor', '1'],
        ['GNU.sparse.numblocks', '0'],
        ['GNU.sparse.size', '200000'],
      ]),
      entry({}, ''),
    );
    expect(readTar(tar).entries[0]?.content.equals(Buffer.alloc(200_000))).toBe(true);
  });

  it('treats unknown sparse versions as plain files', () => {
    const tar = concat(
      pax([
        ['GNU.sparse.major', '2'],
        ['GNU.sparse.minor', '0'],
      ]),
      entry({}, 'plain'),
    );
    expect(readTar(tar).entries[0]).toMatchObject({ content: Buffer.from('plain') });
  });
});

describe('SparseExpander', () => {
  it('equals writing the ranges into zeros, for any chunking', () => {
    const range = fc.record({ gap: fc.nat(70_000), data: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 6 }),
        fc.nat(100_000),
        fc.array(fc.nat()),
        (parts, tail, places) => {
          const ranges: { offset: number; length: number }[] = [];
          let end = 0;
          for (const { gap, data } of parts) {
            ranges.push({ offset: end + gap, length: data.length });
            end += gap + data.length;
          }
          const expected = Buffer.alloc(end + tail);
          parts.forEach(({ data }, i) => {
            expected.set(data, ranges[i]?.offset);
          });
          const out: Buffer[] = [];
          const expander = new SparseExpander(ranges, expected.length, (bytes) =>
            out.push(Buffer.from(bytes)),
          );
          const stored = Buffer.concat(parts.map(({ data }) => data));
          for (const piece of cutAt(stored, places)) expander.push(piece);
          expander.finish();
          expect(Buffer.concat(out).equals(expected)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });
});
