import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HalfSipHash } from '../../src/tarSplit/halfSipHash.ts';
import { PathSet } from '../../src/tarSplit/pathSet.ts';

/** Outputs for the inputs of no byte, 00, 00 01 … under the key 00 01 … 07 (Linux, `lib/test_siphash.c`). */
const VECTORS = [
  0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6,
];

describe('HalfSipHash', () => {
  it.each(VECTORS.map((hash, length) => ({ hash, length })))('hashes $length bytes', ({ hash, length }) => {
    const input = Uint8Array.from({ length }, (_, i) => i);
    expect(new HalfSipHash(Int32Array.of(0x03020100, 0x07060504)).of(input) >>> 0).toBe(hash);
  });
});

describe('PathSet', () => {
  it('holds what a Set of strings holds', () => {
    const path = fc.oneof(fc.string({ maxLength: 3, unit: 'binary-ascii' }), fc.string({ maxLength: 50 }));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 200 }), (paths) => {
        const [set, strings] = [new PathSet(), new Set<string>()];
        for (const one of paths) {
          expect(set.add(Buffer.from(one))).toBe(!strings.has(one));
          strings.add(one);
        }
      }),
    );
  });

  it('grows, over many blocks', () => {
    const paths = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`directory/${i % 7}/file-${i}`));
    const set = new PathSet();
    expect(paths.every((path) => set.add(path))).toBe(true);
    expect(paths.some((path) => set.add(path))).toBe(false);
  });

  it.each([30, 62, 1022])('fills its blocks to the last byte with paths of %i bytes', (length) => {
    const paths = Array.from({ length: 10_000 }, (_, i) => Buffer.from(`${i}`.padStart(length, '/')));
    const set = new PathSet();
    expect(paths.every((path) => set.add(path))).toBe(true);
    expect(paths.some((path) => set.add(path))).toBe(false);
  });

  it('tells paths apart that begin alike, whatever they have in common and however they end', () => {
    const beginnings = ['', 'a/b', `${'long/'.repeat(60)}x`, 'é/'];
    const endings = ['', 'c', 'cc', 'cd', 'd'.repeat(300), 'é', '\0', '\0\0'];
    const paths = beginnings.flatMap((start) => endings.flatMap((end) => [start + end, start + end + end]));
    const [set, strings] = [new PathSet(), new Set<string>()];
    for (const one of [...paths, ...paths.toReversed()]) {
      expect(set.add(Buffer.from(one))).toBe(!strings.has(one));
      strings.add(one);
    }
  });

  it('takes paths of any length', () => {
    const paths = [0, 1, 4095, 4096, 70_000].map((length) => Buffer.alloc(length, 'x'));
    const set = new PathSet();
    expect(paths.map((path) => set.add(path))).toEqual([true, true, true, true, true]);
    expect(paths.map((path) => set.add(Buffer.from(path)))).toEqual([false, false, false, false, false]);
  });

  it('does not hold on to what it was given', () => {
    const path = Buffer.from('one');
    const set = new PathSet();
    set.add(path);
    path.write('two');
    expect(set.add(path)).toBe(true);
    expect(set.add(Buffer.from('one'))).toBe(false);
  });
});
