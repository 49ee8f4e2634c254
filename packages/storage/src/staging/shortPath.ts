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
  const short = openShortPath(directory);
  try {
    return fn(short.path);
  } finally {
    short.close();
  }
}

/** The path of {@link withShortPath} for those who cannot wait inside a function; it is good until `close`. */
export function openShortPath(directory: Buffer): { readonly path: Buffer; close(): void } {
  if (directory.length <= LONG_PATH) return { path: directory, close: () => undefined };
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const path = Buffer.concat([BY_DESCRIPTOR, Buffer.from(String(fd))]);
  return { path, close: () => closeSync(fd) };
}

/** Whether a path goes through a descriptor of {@link withShortPath}, and so ends with its scope. */
export function isShortened(path: Buffer): boolean {
  return path.subarray(0, BY_DESCRIPTOR.length).equals(BY_DESCRIPTOR);
}

/** `directory/name`, as bytes. */
export function joinBytes(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, SLASH, name]);
}
