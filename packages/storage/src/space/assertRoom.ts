import { statfsSync } from 'node:fs';
import { errnoCode, StorageError } from '@sediment/core';

/** File systems that may compress what is written: nobody knows how much fits (statfs(2), `f_type`). */
const COMPRESSING = new Set([
  0x9123683e, // btrfs
  0xca451a4e, // bcachefs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
]);

export interface RoomRequest {
  /** An existing directory of the file system. */
  readonly directory: string;
  /** Bytes that will be written at least. */
  readonly bytes: number;
  /** What needs the room, for the message: `3 layers of the image`. */
  readonly what: string;
}

/**
 * Refuses at once what surely does not fit. What passes may still run into a full disk, since others write, too,
 * and the estimate is a low one.
 *
 * @throws {StorageError} `NO_SPACE` with both numbers
 */
export function assertRoom({ directory, bytes, what }: RoomRequest): void {
  const available = availableBytes(directory);
  if (available === undefined || bytes <= available) return;
  throw new StorageError(
    'NO_SPACE',
    `no space left on device for ${what}: at least ${bytes} bytes are needed in ${directory}, ${available} are free`,
    {
      path: directory,
      expected: bytes,
      actual: available,
      hint: `free ${inUnits(bytes - available)} on that file system (${inUnits(bytes)} are needed, ${inUnits(available)} are free), or choose another graph root`,
    },
  );
}

/** Undefined where nobody can tell. The blocks that are reserved for root are not counted out. */
function availableBytes(directory: string): number | undefined {
  try {
    const { type, blocks, bfree, bsize } = statfsSync(directory);
    // a tmpfs without a limit has no blocks
    return blocks === 0 || COMPRESSING.has(type) ? undefined : bfree * bsize;
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    return undefined;
  }
}

function inUnits(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
