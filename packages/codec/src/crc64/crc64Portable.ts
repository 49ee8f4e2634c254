import { buildCrc64Tables, CRC64_ISO, type Crc64Polynomial } from './crc64Tables.ts';

/** Feeds bytes into a running CRC: `state` holds its low and high half and is changed in place. */
export type Crc64Engine = (state: Int32Array, bytes: Uint8Array) => void;

/**
 * Slice-by-8 on 32-bit halves, for hosts without WebAssembly. Halves because a JavaScript BigInt
 * per byte is a hundred times slower.
 */
export function createPortableCrc64(polynomial: Crc64Polynomial = CRC64_ISO): Crc64Engine {
  const tables = buildCrc64Tables(polynomial);
  return (state, bytes) => {
    let low = state[0] as number;
    let high = state[1] as number;
    const whole = bytes.length & ~7;
    let i = 0;
    for (; i < whole; i += 8) {
      low ^= word(bytes, i);
      high ^= word(bytes, i + 4);
      const t7 = 3584 + ((low & 0xff) << 1);
      const t6 = 3072 + ((low >>> 7) & 0x1fe);
      const t5 = 2560 + ((low >>> 15) & 0x1fe);
      const t4 = 2048 + ((low >>> 23) & 0x1fe);
      const t3 = 1536 + ((high & 0xff) << 1);
      const t2 = 1024 + ((high >>> 7) & 0x1fe);
      const t1 = 512 + ((high >>> 15) & 0x1fe);
      const t0 = (high >>> 23) & 0x1fe;
      low = at(t7) ^ at(t6) ^ at(t5) ^ at(t4) ^ at(t3) ^ at(t2) ^ at(t1) ^ at(t0);
      high =
        at(t7 + 1) ^ at(t6 + 1) ^ at(t5 + 1) ^ at(t4 + 1) ^ at(t3 + 1) ^ at(t2 + 1) ^ at(t1 + 1) ^ at(t0 + 1);
    }
    for (; i < bytes.length; i++) {
      const index = ((low ^ (bytes[i] as number)) & 0xff) << 1;
      low = ((low >>> 8) | (high << 24)) ^ at(index);
      high = (high >>> 8) ^ at(index + 1);
    }
    state[0] = low;
    state[1] = high;
  };

  function at(index: number): number {
    return tables[index] as number;
  }
}

function word(bytes: Uint8Array, i: number): number {
  return (
    (bytes[i] as number) |
    ((bytes[i + 1] as number) << 8) |
    ((bytes[i + 2] as number) << 16) |
    ((bytes[i + 3] as number) << 24)
  );
}
