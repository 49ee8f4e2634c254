import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Decoder } from '../../src/compression/decoder.ts';
import { chunked, collect, failureOf } from './bytes.ts';

export interface DecoderCase {
  name: string;
  compressed: Buffer;
  content: Buffer;
}

export interface DecoderContract {
  decode: Decoder;
  /** The first is used for damage of all kinds. */
  cases: readonly [DecoderCase, ...DecoderCase[]];
  /** How many chunk sizes and places of damage to try. */
  runs: number;
}

/** What holds for every decoder, whatever the format. */
export function testDecoder({ decode, cases, runs }: DecoderContract): void {
  const [{ compressed, content }] = cases;
  const outcome = (bytes: Uint8Array, size = 1000) => collect(decode(chunked(bytes, size)));
  const refusal = async (bytes: Uint8Array, size?: number) => {
    const error = await failureOf(() => outcome(bytes, size));
    expect(error.code).toBe('COMPRESSION_INVALID');
    expect(error.hint).toBeTruthy();
    expect(error.facts.offset).toBeTypeOf('number');
    return error;
  };

  it.each(cases)('decodes $name', async (one) => {
    expect((await outcome(one.compressed)).equals(one.content)).toBe(true);
  });

  it('decodes whatever the size of the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: compressed.length }), async (size) => {
        expect((await outcome(compressed, size)).equals(content)).toBe(true);
      }),
      { numRuns: runs },
    );
    expect((await outcome(compressed, 1)).equals(content)).toBe(true);
  });

  it('decodes what is concatenated', async () => {
    const all = Buffer.concat(cases.map((one) => one.compressed));
    const expected = Buffer.concat(cases.map((one) => one.content));
    expect((await outcome(all, 777)).equals(expected)).toBe(true);
  });

  it('refuses data that was cut off anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: compressed.length - 1 }), async (length) => {
        await refusal(compressed.subarray(0, length));
      }),
      { numRuns: runs, examples: [[1], [compressed.length - 1], [compressed.length - 4]] },
    );
  });

  it('refuses data that was cut off in a later part', async () => {
    const twice = Buffer.concat([compressed, compressed]);
    for (const missing of [1, 5, compressed.length - 20, compressed.length - 3]) {
      await refusal(twice.subarray(0, twice.length - missing));
    }
  });

  it.each([
    ['garbage', Buffer.from('garbage')],
    ['a zero', Buffer.alloc(1)],
    ['a long text', Buffer.alloc(5000, 'text ')],
  ])('refuses %s behind the data, also in a chunk of its own', async (_, trailing) => {
    const bytes = Buffer.concat([compressed, trailing]);
    await refusal(bytes, bytes.length);
    await refusal(bytes, compressed.length);
    await refusal(bytes, 1);
  });

  it('never delivers damaged content as if it were whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(compressed.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (place, flip) => {
          const bytes = Buffer.from(compressed);
          bytes[place] = (bytes[place] as number) ^ flip;
          const result = await outcome(bytes).catch((error: unknown) => error);
          // Some header bytes carry no meaning for the content (time stamps and the like).
          if (Buffer.isBuffer(result)) expect(result.equals(content)).toBe(true);
          else expect(result).toMatchObject({ code: 'COMPRESSION_INVALID' });
        },
      ),
      { numRuns: runs },
    );
  });

  it('passes errors of the source through and closes it', async () => {
    let closed = false;
    async function* failing() {
      try {
        yield compressed.subarray(0, 100);
        throw new RangeError('source failed');
      } finally {
        closed = true;
      }
    }
    await expect(collect(decode(failing()))).rejects.toThrow(new RangeError('source failed'));
    expect(closed).toBe(true);
  });

  it('closes the source when the consumer stops early', async () => {
    let closed = false;
    async function* source() {
      try {
        for (;;) yield compressed;
      } finally {
        closed = true;
      }
    }
    for await (const chunk of decode(source())) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(closed).toBe(true);
  });
}
