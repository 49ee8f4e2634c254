/** A reflected polynomial of degree 64, as its low and high half. */
export interface Crc64Polynomial {
  readonly low: number;
  readonly high: number;
}

/** x^64 + x^4 + x^3 + x + 1 (ISO 3309), of tar-split. */
export const CRC64_ISO: Crc64Polynomial = { low: 0, high: 0xd800_0000 };

/** ECMA-182, of xz. */
export const CRC64_ECMA: Crc64Polynomial = { low: 0xd787_0f42, high: 0xc96c_5795 };

const SLICES = 8;

/**
 * The eight tables of slice-by-8, one after the other: entry `i` of table `t` is the pair of 32-bit
 * halves (low, high) at `(t * 256 + i) * 2`.
 */
export function buildCrc64Tables(polynomial: Crc64Polynomial): Int32Array {
  const tables = new Int32Array(SLICES * 256 * 2);
  for (let i = 0; i < 256; i++) {
    let low = i;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry === 1) {
        low ^= polynomial.low;
        high ^= polynomial.high;
      }
    }
    tables[i * 2] = low;
    tables[i * 2 + 1] = high;
  }
  for (let i = 512; i < tables.length; i += 2) appendZeroByte(tables, i);
  return tables;
}

/** Each further table advances the entry of the one before by a zero byte. */
function appendZeroByte(tables: Int32Array, at: number): void {
  const low = tables[at - 512] as number;
  const high = tables[at - 511] as number;
  const index = (low & 0xff) * 2;
  tables[at] = ((low >>> 8) | (high << 24)) ^ (tables[index] as number);
  tables[at + 1] = (high >>> 8) ^ (tables[index + 1] as number);
}
