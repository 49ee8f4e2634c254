import { readSync, writeSync } from 'node:fs';
import { StorageError, wrapSystemError } from '@sediment/core';
import { crypto } from '../lazyModules.ts';

/** Length of what writers leave in a lock file. */
export const TOKEN_BYTES = 64;

const RANDOM_OFFSET = 20;

let counter = 0n;

/**
 * A value that no other writer ever makes, in upstream's layout: time in nanoseconds, a counter of this
 * process, its pid, 44 random bytes; numbers little-endian. Readers compare it and never look inside.
 */
export function newToken(): Buffer {
  const token = Buffer.alloc(TOKEN_BYTES);
  counter += 1n;
  token.writeBigUInt64LE(BigInt(Date.now()) * 1_000_000n, 0);
  token.writeBigUInt64LE(counter, 8);
  token.writeUInt32LE(process.pid, 16);
  crypto().randomFillSync(token, RANDOM_OFFSET);
  return token;
}

/** The token in an open lock file; shorter than 64 bytes, usually empty, when nobody ever wrote one. */
export function readToken(fd: number, path: string): Buffer {
  const token = Buffer.alloc(TOKEN_BYTES);
  try {
    return token.subarray(0, readSync(fd, token, 0, TOKEN_BYTES, 0));
  } catch (error) {
    throw wrapSystemError(error, `reading lock file ${path}`, 'IO', { path });
  }
}

/** Puts a new token into an open lock file and returns it. */
export function writeToken(fd: number, path: string): Buffer {
  const token = newToken();
  let written: number;
  try {
    written = writeSync(fd, token, 0, TOKEN_BYTES, 0);
  } catch (error) {
    throw wrapSystemError(error, `writing lock file ${path}`, 'IO', { path });
  }
  if (written === TOKEN_BYTES) return token;
  throw new StorageError(
    'NO_SPACE',
    `writing lock file ${path}: only ${written} of ${TOKEN_BYTES} bytes fit`,
    {
      path,
      expected: TOKEN_BYTES,
      actual: written,
      hint: 'free some space on that file system',
    },
  );
}
