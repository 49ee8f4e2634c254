import { randomBytes } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Crc32, nativeCrc32 } from '../src/index.ts';

const found = nativeCrc32();

it('is undefined where the host lacks the library, or the library the function', () => {
  expect(nativeCrc32('libdeflate-that-is-missing.so.0')).toBeUndefined();
  expect(nativeCrc32('libc.so.6')).toBeUndefined();
});

describe.skipIf(found === undefined)('CRC-32 by libdeflate (needs libdeflate.so.0)', () => {
  const crc32 = found as Crc32;

  it('is that of gzip', () => {
    expect(crc32(Buffer.from('123456789'), 0)).toBe(0xcbf43926);
    expect(crc32(Buffer.alloc(0), 0)).toBe(0);
    expect(crc32(Buffer.alloc(0), 0xcbf43926)).toBe(0xcbf43926);
  });

  it('continues, wherever bytes lie', () => {
    const data = randomBytes(70_000);
    const shared = Buffer.from(new SharedArrayBuffer(data.length));
    data.copy(shared);
    for (const bytes of [data, shared]) {
      for (const cut of [0, 1, 63, 4097, 70_000]) {
        const first = crc32(bytes.subarray(0, cut), 0);
        expect(crc32(bytes.subarray(cut), first)).toBe(zlibCrc32(data));
      }
    }
  });
});
