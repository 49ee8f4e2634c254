import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBuffer } from '../../src/tarSplit/lineBuffer.ts';
import { type Memory, newMemory, putBase64 } from '../../src/tarSplit/putBase64.ts';

function memoryOf(bytes: Uint8Array): Memory {
  const memory = newMemory(bytes.length);
  memory.bytes.set(bytes);
  return memory;
}

describe('putBase64', () => {
  /** Runs of zeros, which are skipped, at all places. */
  const zeros = fc.nat({ max: 40 }).map((length) => new Uint8Array(length));
  const bytes = fc
    .array(fc.oneof(zeros, fc.uint8Array({ maxLength: 20 })), { maxLength: 10 })
    .map((parts) => Buffer.concat(parts));

  it('encodes as Node does, at any place', () => {
    fc.assert(
      fc.property(bytes, fc.nat({ max: 9 }), (source, at) => {
        const out = newMemory(2000);
        const end = putBase64(memoryOf(source), { start: 0, end: source.length }, out, at);
        expect(Buffer.from(out.bytes.subarray(at, end)).toString()).toBe(source.toString('base64'));
        expect(out.bytes.subarray(end).some((byte) => byte !== 0)).toBe(false);
      }),
    );
  });

  it('encodes a part', () => {
    const source = Buffer.from('twelve bytes and then some more');
    const out = newMemory(100);
    const end = putBase64(memoryOf(source), { start: 12, end: 20 }, out, 0);
    expect(Buffer.from(out.bytes.subarray(0, end)).toString()).toBe(
      source.subarray(12, 20).toString('base64'),
    );
  });
});

describe('LineBuffer', () => {
  it('hands on everything in order, whatever its size', () => {
    const parts: Buffer[] = [];
    const lines = new LineBuffer((bytes) => parts.push(Buffer.from(bytes)));
    const large = Buffer.alloc(700_001, 'abcdefghij\0\0');
    lines.text('é');
    lines.base64(memoryOf(large), large.length);
    lines.ascii(Buffer.from('x'));
    for (const number of [0, 9, 10, 4_294_967_296, Number.MAX_SAFE_INTEGER]) lines.number(number);
    lines.text('y'.repeat(300_000));
    lines.flush();
    const text = Buffer.concat(parts).toString();
    expect(text).toBe(`é${large.toString('base64')}x091042949672969007199254740991${'y'.repeat(300_000)}`);
    expect(parts.length).toBeGreaterThan(4);
  });
});
