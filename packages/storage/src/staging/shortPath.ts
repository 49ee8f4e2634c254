import { closeSync, constants, openSync } from 'node:fs';

/** Leaves room for a name (255 bytes) and more below the kernel's limit of 4095 bytes. */
const LONG_PATH = 3000;
const BY_DESCRIPTOR = Buffer.from('/proc/self/fd/');
const SLASH = Buffer.from('/');

/**
 * Runs `fn` with a path for `directory` that is short enough to append names to. Layers may hold deeper
 * trees than a path can name from the root; those are continued from a descriptor.
 */
export function withShortPath<T>(directory: Buffer, fn: (directory: Buffer) => T): T {
  if (directory.length <= LONG_PATH) return fn(directory);
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return fn(Buffer.concat([BY_DESCRIPTOR, Buffer.from(String(fd))]));
  } finally {
    closeSync(fd);
  }
}

/** Whether a path goes through a descriptor of {@link withShortPath}, and so ends with its scope. */
export function isShortened(path: Buffer): boolean {
  return path.subarray(0, BY_DESCRIPTOR.length).equals(BY_DESCRIPTOR);
}

/** `directory/name`, as bytes. */
export function joinBytes(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, SLASH, name]);
}
