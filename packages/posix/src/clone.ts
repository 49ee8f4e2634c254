/** Copying and sharing of file content inside the kernel. */
import { cFunction } from './library.ts';
import { checked, PosixError } from './posixError.ts';

/** A range of one file that another file should share. Offsets and lengths are bytes. */
export interface DedupeRequest {
  readonly sourceFd: number;
  readonly sourceOffset: number;
  readonly length: number;
  readonly destinationFd: number;
  readonly destinationOffset: number;
}

/** What became of a {@link DedupeRequest}. */
export interface DedupeResult {
  /** Bytes that are shared now; may be fewer than asked for. */
  readonly bytes: number;
  /** False when the content differs; nothing was changed then. */
  readonly same: boolean;
}

const FICLONE = 0x40049409;
const FIDEDUPERANGE = 0xc0189436;
const FILE_DEDUPE_RANGE_SAME = 0;
const FILE_DEDUPE_RANGE_DIFFERS = 1;

const c = {
  ioctlNumber: cFunction<[number, number, number]>('ioctl', {
    parameters: ['int', 'unsigned long', 'uintptr_t'],
  }),
  ioctlStruct: cFunction<[number, number, Buffer]>('ioctl', {
    parameters: ['int', 'unsigned long', 'void *'],
  }),
  copyFileRange: cFunction<[number, null, number, null, number, number]>('copy_file_range', {
    parameters: ['int', 'void *', 'int', 'void *', 'size_t', 'uint32_t'],
    result: 'intptr_t',
    syscall: { x64: 326, arm64: 285 },
  }),
};

/**
 * Makes the destination share all content of the source (a reflink).
 *
 * @throws {PosixError} EOPNOTSUPP where the file system cannot, EXDEV across file systems
 */
export function ficlone(destinationFd: number, sourceFd: number): void {
  checked(c.ioctlNumber(destinationFd, FICLONE, sourceFd), 'ioctl(FICLONE)');
}

/**
 * Copies up to `length` bytes at the current offsets of both files and moves the offsets.
 *
 * @returns the bytes copied; 0 at the end of the source
 * @throws {PosixError} EXDEV, EINVAL or EOPNOTSUPP where the kernel cannot: copy by hand then
 */
export function copyFileRange(sourceFd: number, destinationFd: number, length: number): number {
  return checked(c.copyFileRange(sourceFd, null, destinationFd, null, length, 0), 'copy_file_range');
}

/** Makes two equal ranges share their blocks, if the kernel finds them equal. */
export function dedupeRange(request: DedupeRequest): DedupeResult {
  const struct = Buffer.alloc(24 + 32);
  struct.writeBigUInt64LE(BigInt(request.sourceOffset), 0);
  struct.writeBigUInt64LE(BigInt(request.length), 8);
  struct.writeUInt16LE(1, 16);
  struct.writeBigInt64LE(BigInt(request.destinationFd), 24);
  struct.writeBigUInt64LE(BigInt(request.destinationOffset), 32);
  checked(c.ioctlStruct(request.sourceFd, FIDEDUPERANGE, struct), 'ioctl(FIDEDUPERANGE)');
  const status = struct.readInt32LE(48);
  if (status < 0) throw new PosixError({ errno: -status, syscall: 'ioctl(FIDEDUPERANGE)' });
  if (status !== FILE_DEDUPE_RANGE_SAME && status !== FILE_DEDUPE_RANGE_DIFFERS) {
    throw new RangeError(`FIDEDUPERANGE gave an unknown status ${status}`);
  }
  return { bytes: Number(struct.readBigUInt64LE(40)), same: status === FILE_DEDUPE_RANGE_SAME };
}
