import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crc64 } from '../../src/crc64/crc64.ts';
import { type Crc64Engine, createPortableCrc64 } from '../../src/crc64/crc64Portable.ts';
import { CRC64_WASM, createWasmCrc64 } from '../../src/crc64/crc64Wasm.ts';
import { cutAt, noise, sample } from '../support/bytes.ts';
import { crc64Program } from './crc64Program.ts';
import { encodeWasmModule } from './wasmModule.ts';

const wasm = createWasmCrc64() as Crc64Engine;
const portable = createPortableCrc64();

function noRoom(): never {
  throw new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance');
}

function crcOf(engine: Crc64Engine | undefined, ...parts: Uint8Array[]): string {
  const crc = new Crc64(engine);
  for (const part of parts) crc.update(part);
  return crc.digest().toString('hex');
}

/** The definition: one bit at a time, the lowest first. */
function bitwise(bytes: Uint8Array): string {
  let crc = 0xffff_ffff_ffff_ffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? 0xd800_0000_0000_0000n : 0n);
  }
  return (crc ^ 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0');
}

describe.each([
  ['WebAssembly', wasm],
  ['JavaScript', portable],
  ['the default', undefined],
])('CRC-64 by %s', (_, engine) => {
  it.each([
    ['', '0000000000000000'],
    ['x', '2310000000000000'],
    ['hello', '3c3eeee2d8100000'],
    ['hello\n', '614c3eeee2d81000'],
    ['123456789', 'b90956c775a41001'],
    // 224 bytes: three blocks of 64 and four words.
    ['The quick brown fox jumps.. '.repeat(8), 'a1d81e3eae1bbb00'],
  ])('%j', (text, expected) => {
    expect(crcOf(engine, Buffer.from(text))).toBe(expected);
  });

  it('does not depend on how the bytes are cut', () => {
    const bytes = sample(1000);
    fc.assert(
      fc.property(fc.array(fc.nat()), (places) => {
        expect(crcOf(engine, ...cutAt(bytes, places))).toBe(crcOf(engine, bytes));
      }),
    );
  });
});

describe('CRC-64 in WebAssembly', () => {
  it('is what its program gives', () => {
    expect(CRC64_WASM).toBe(encodeWasmModule(1, crc64Program()).toString('base64'));
  });

  it('is the definition', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
        expect(crcOf(wasm, bytes)).toBe(bitwise(bytes));
        expect(crcOf(portable, bytes)).toBe(bitwise(bytes));
      }),
    );
  });

  it('is right for each length up to 2000, from each place', () => {
    const bytes = noise(9000).subarray(0, 2016);
    for (let length = 0; length <= 2000; length++) {
      const part = bytes.subarray(length % 17, (length % 17) + length);
      expect(crcOf(wasm, part)).toBe(crcOf(portable, part));
    }
  });

  it.each([0, 1, 3, 7, 8])('is right around its pieces, %i bytes behind the start of the memory', (at) => {
    const shared = new Uint8Array(new SharedArrayBuffer(at + 3 * 32_768 + 200));
    shared.set(noise(shared.length));
    for (const pieces of [1, 2, 3]) {
      for (const more of [-64, -9, -1, 0, 1, 7, 8, 63, 64, 65, 127, 128, 200]) {
        const part = shared.subarray(at, at + pieces * 32_768 + more);
        expect(crcOf(wasm, part)).toBe(crcOf(portable, part));
      }
    }
  });

  it('goes on from a CRC of anything, by updates of any length', () => {
    const bytes = noise(70_000);
    const lengths = fc.array(fc.oneof(fc.nat(20), fc.nat(300), fc.nat(40_000)), { maxLength: 20 });
    fc.assert(
      fc.property(lengths, fc.nat(100), (all, at) => {
        const parts = all.map((length, i) => bytes.subarray(at + i, at + i + length));
        expect(crcOf(wasm, ...parts)).toBe(crcOf(portable, Buffer.concat(parts)));
      }),
    );
  });

  it('leaves the bytes as they are', () => {
    const bytes = noise(100_000);
    crcOf(wasm, bytes);
    expect(bytes.equals(noise(100_000))).toBe(true);
  });

  it('is not used where the host has none, or none with vectors', () => {
    const host = globalThis as { WebAssembly?: object };
    const { WebAssembly } = host;
    try {
      host.WebAssembly = { validate: () => false };
      expect(createWasmCrc64()).toBeUndefined();
      delete host.WebAssembly;
      expect(createWasmCrc64()).toBeUndefined();
      // As under `ulimit -v`.
      host.WebAssembly = { validate: () => true, Module: class {}, Instance: noRoom };
      expect(createWasmCrc64()).toBeUndefined();
    } finally {
      Object.assign(host, { WebAssembly });
    }
    expect(createWasmCrc64()).toBeDefined();
  });
});

describe('CRC-64', () => {
  it('is the same by both engines, also for more than their buffer at once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(crcOf(wasm, bytes)).toBe(crcOf(portable, bytes));
      }),
    );
    const large = sample(1_000_003);
    expect(crcOf(wasm, large)).toBe(crcOf(portable, large));
  });

  it('keeps running sums apart, goes on after a digest, and begins anew', () => {
    const [a, b] = [new Crc64(wasm), new Crc64(wasm)];
    a.update(Buffer.from('hel'));
    b.update(Buffer.from('x'));
    a.digest();
    a.update(Buffer.from('lo'));
    expect([a, b].map((crc) => crc.digest().toString('hex'))).toEqual([
      '3c3eeee2d8100000',
      '2310000000000000',
    ]);
    a.reset();
    expect(a.digest().toString('hex')).toBe('0000000000000000');
  });
});
