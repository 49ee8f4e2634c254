import type { Crc64Engine } from './crc64Portable.ts';

/**
 * CRC-64 of the ISO polynomial without tables, with 128-bit vectors: ten times as fast as tables.
 *
 * Bytes are a polynomial over GF(2), the lowest bit of the first byte its highest power; xor adds,
 * and a shift to the right by n multiplies by x^n. As x^64 + x^4 + x^3 + x + 1 = 0 and squaring is
 * linear,
 *
 *     x^64  = x^4 + x^3 + x + 1       = (1 + x)(1 + x^3)
 *     x^512 = x^32 + x^24 + x^8 + 1   = (1 + x^8)(1 + x^24)
 *
 * So a block of 64 bytes is moved to the place of the next one by adding it to itself twice, shifted
 * by one byte and then by three, four bytes of overflow going to its end: eight byte shuffles and
 * twelve xors for 64 bytes. What is left, the last block and what follows it, is folded in the same
 * way word by word, by bits instead of bytes.
 *
 * `test/crc64/crc64Program.ts` is the source of these bytes; a test there compares. Memory: the
 * running CRC (8 bytes), from {@link DATA} on the data.
 */
export const CRC64_WASM =
  'AGFzbQEAAAABBgFgAn9/AAMCAQAFBAEBAQEHEwIGbWVtb3J5AgAGdXBkYXRlAAAKxAUBwQUKAX4BfgF7AXsBewF7AXsBewF7AXtB' +
  'ACkAACECIABBgAFqIAFNBEAgACACIAApAACFNwAAIAAgACkAOCAAKQAAQjiGIAApAABCKIaFIAApAABCIIaFhTcAOCAA/QAAACEE' +
  'IAD9AAAQIQUgAP0AACAhBiAA/QAAMCEHIAQgBCAF/Q0BAgMEBQYHCAkKCwwNDg8Q/VEhCCAAQcAAaiEAA0AgBSAFIAb9DQECAwQF' +
  'BgcICQoLDA0ODxD9USEJIAYgBiAH/Q0BAgMEBQYHCAkKCwwNDg8Q/VEhCiAA/QAAACAIIAggCf0NAwQFBgcICQoLDA0ODxAREv1R' +
  '/VEhBCAHIAcgBP0NAQIDBAUGBwgJCgsMDQ4PEP1RIQsgAP0AABAgCSAJIAr9DQMEBQYHCAkKCwwNDg8QERL9Uf1RIQUgAP0AACAg' +
  'CiAKIAv9DQMEBQYHCAkKCwwNDg8QERL9Uf1RIQYgBCAEIAX9DQECAwQFBgcICQoLDA0ODxD9USEIIAD9AAAwIAsgCyAI/Q0DBAUG' +
  'BwgJCgsMDQ4PEBES/VH9USEHIABBwABqIQAgAEHAAGogAU0NAAsgAEFAaiEAIAAgBP0LAAAgACAF/QsAECAAIAb9CwAgIAAgB/0L' +
  'ADAgACAAKQA4IAApAABCOIYgACkAAEIohoUgACkAAEIghoWFNwA4QgAhAgsgAEEIaiABTQRAA0AgAiAAKQAAhSEDIAMgA0I/hoUg' +
  'A0I9hiADQjyGhYUhAyADIANCAYiFIQMgAyADQgOIhSEDIAMhAiAAQQhqIQAgAEEIaiABTQ0ACwsgAEEBaiABTQRAIAIgACkAAIVC' +
  'wAAgASAAa0EDdK19hiEDIAMgA0I/hoUgA0I9hiADQjyGhYUhAyADIANCAYiFIQMgAyADQgOIhSEDIAIgASAAa0EDdK2IIAOFIQIL' +
  'QQAgAjcAAAs=';

/** The data begins here, or as many bytes later as its source is behind a multiple of 8. */
const DATA = 16;
/** So much is copied at once: it stays in the processor's nearest cache until it is read. */
const PIECE = 32 * 1024;
/** From this length on, the time to ask where the bytes begin is less than the time it saves. */
const LONG = 512;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  update(start: number, end: number): void;
}

interface WebAssemblyNamespace {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
}

/**
 * The WebAssembly engine, or undefined where the host has no WebAssembly (`--jitless`), none with
 * vectors (processors of before 2008), or no room for its memory.
 */
export function createWasmCrc64(): Crc64Engine | undefined {
  const wasm = (globalThis as { WebAssembly?: WebAssemblyNamespace }).WebAssembly;
  const code = Buffer.from(CRC64_WASM, 'base64');
  if (wasm?.validate(code) !== true) return undefined;
  const exports = instantiate(wasm, code);
  if (exports === undefined) return undefined;
  const { memory, update } = exports;
  const registers = new DataView(memory.buffer);
  const places = Array.from({ length: 8 }, (_, skew) => new Uint8Array(memory.buffer, DATA + skew));
  return (state, bytes) => {
    // Shared memory is copied by words only where source and target are aligned alike.
    const skew = bytes.length < LONG ? 0 : bytes.byteOffset & 7;
    const place = places[skew] as Uint8Array;
    registers.setInt32(0, state[0] as number, true);
    registers.setInt32(4, state[1] as number, true);
    for (let start = 0; start < bytes.length; start += PIECE) {
      const length = Math.min(PIECE, bytes.length - start);
      place.set(length === bytes.length ? bytes : bytes.subarray(start, start + length));
      update(DATA + skew, DATA + skew + length);
    }
    state[0] = registers.getInt32(0, true);
    state[1] = registers.getInt32(4, true);
  };
}

function instantiate(wasm: WebAssemblyNamespace, code: Uint8Array): Exports | undefined {
  try {
    return new wasm.Instance(new wasm.Module(code)).exports as Exports;
  } catch (error) {
    // V8 reserves 10 GB of addresses for a memory of any size, which `ulimit -v` may forbid.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
