/**
 * Device numbers. Linux itself has 12 bits of major and 20 bits of minor; the C library's form of
 * such a number (sys/sysmacros.h) is then the same as the kernel's and fits 32 bits.
 */

/** First number that 12 bits do not hold, and 20. */
const MAJOR_END = 0x1000;
const MINOR_END = 0x10_0000;

/**
 * A device number from its two parts.
 *
 * @throws {RangeError} when a part does not fit what Linux has
 */
export function makedev(majorNumber: number, minorNumber: number): number {
  assertFits('major', majorNumber, MAJOR_END);
  assertFits('minor', minorNumber, MINOR_END);
  return ((minorNumber & 0xff) | (majorNumber << 8) | ((minorNumber & ~0xff) << 12)) >>> 0;
}

/** The major part of a device number. */
export function major(dev: number): number {
  return (dev >>> 8) & 0xfff;
}

/** The minor part of a device number. */
export function minor(dev: number): number {
  return ((dev & 0xff) | ((dev >>> 12) & 0xfff00)) >>> 0;
}

function assertFits(name: string, value: number, end: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= end) {
    throw new RangeError(`${name} must be a whole number below 2^${Math.log2(end)}, not ${value}`);
  }
}
