import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crc64 } from '../../src/crc64/crc64.ts';
import { type Crc64Engine, createPortableCrc64 } from '../../src/crc64/crc64Portable.ts';
import { createWasmCrc64 } from '../../src/crc64/crc64Wasm.ts';
import { cutAt, sample } from '../support/bytes.ts';

const wasm = createWasmCrc64() as Crc64Engine;
const portable = createPortableCrc64();

function crcOf(engine: Crc64Engine | undefined, ...parts: Uint8Array[]): string {
  const crc = new Crc64(engine);
  for (const part of parts) crc.update(part);
  return crc.digest().toString('hex');
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
