import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { leastPlainSize } from '../../src/space/leastPlainSize.ts';
import { TempRoots } from '../support/tempStore.ts';

const PLAIN = Buffer.alloc(1_000_000, 'plain ');

describe('the least size of a decompressed blob', () => {
  const roots = new TempRoots();
  afterAll(() => roots.cleanup());

  /** The blob in the middle of a file. */
  const sizeOf = (blob: Uint8Array) => {
    const path = join(roots.directory, 'blob');
    writeFileSync(path, Buffer.concat([Buffer.alloc(100, 1), blob, Buffer.alloc(100, 1)]));
    return leastPlainSize({ path, offset: 100, length: blob.length });
  };

  it('is exact for plain blobs', () => {
    expect(sizeOf(PLAIN)).toBe(PLAIN.length);
    expect(sizeOf(Buffer.alloc(0))).toBe(0);
  });

  it('is exact for one gzip member, and no more than all for several', () => {
    const gzip = gzipSync(PLAIN);
    expect(sizeOf(gzip)).toBe(PLAIN.length);
    expect(sizeOf(Buffer.concat([gzip, gzipSync('x')]))).toBeLessThanOrEqual(PLAIN.length);
  });

  it.each(['gzip', 'bzip2', 'xz', 'zstd'])('is never too much for %s', (program) => {
    for (const plain of [PLAIN, randomBytes(300_000), Buffer.alloc(0), Buffer.from('x')]) {
      const blob = execFileSync(program, ['-c'], { input: plain });
      expect(sizeOf(blob)).toBeLessThanOrEqual(plain.length);
      if (blob.length > 10_000) expect(sizeOf(blob)).toBeGreaterThan(blob.length * 0.9);
    }
  });

  it('does not believe in lengths that cannot be', () => {
    const damaged = gzipSync(PLAIN);
    damaged.writeUInt32LE(0xfffffff0, damaged.length - 4);
    expect(sizeOf(damaged)).toBeLessThan(PLAIN.length);
  });

  it('is nothing for what is not there', () => {
    expect(leastPlainSize({ path: join(roots.directory, 'none'), offset: 0, length: 10 })).toBe(0);
  });
});
