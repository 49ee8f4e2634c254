import { printablePath } from './cString.ts';
import { ERRNO_TABLE } from './errnoTable.ts';
import { lastErrno } from './library.ts';

/** What a failed call was about. */
export interface PosixErrorOptions {
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string | Buffer | undefined;
  readonly dest?: string | Buffer | undefined;
}

/**
 * A failed system call, shaped like the system errors of `node:fs` except that `errno` is positive.
 * `path` and `dest` are printable: bytes that are not UTF-8 appear as `\xNN`.
 */
export class PosixError extends Error {
  override readonly name = 'PosixError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  declare readonly path?: string;
  declare readonly dest?: string;

  constructor(options: PosixErrorOptions) {
    const { errno, syscall } = options;
    const path = options.path === undefined ? undefined : printablePath(options.path);
    const dest = options.dest === undefined ? undefined : printablePath(options.dest);
    const code = errnoName(errno);
    const where = [path, dest].filter((text) => text !== undefined).map((text) => `'${text}'`);
    super(`${code}: ${errnoText(errno)}, ${[syscall, where.join(' -> ')].filter(Boolean).join(' ')}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (path !== undefined) this.path = path;
    if (dest !== undefined) this.dest = dest;
  }
}

/** Whether `error` is a {@link PosixError}, of the given code (`'ENOENT'`) if one is named. */
export function isPosixError(error: unknown, code?: string): error is PosixError {
  return error instanceof PosixError && (code === undefined || error.code === code);
}

/** Symbolic name of an error number: `ENOENT` for 2; `E999` for a number Linux does not define. */
export function errnoName(errno: number): string {
  return ERRNO_TABLE.find(([number]) => number === errno)?.[1] ?? `E${errno}`;
}

/** Error number of a symbolic name: 2 for `ENOENT`; undefined for an unknown name. */
export function errnoNumber(name: string): number | undefined {
  return ERRNO_TABLE.find(([, known]) => known === name)?.[0];
}

function errnoText(errno: number): string {
  return ERRNO_TABLE.find(([number]) => number === errno)?.[2] ?? 'unknown error';
}

/** Passes a result on; a negative one becomes a {@link PosixError} with the errno of this thread. */
export function checked(
  result: number,
  syscall: string,
  path?: string | Buffer,
  dest?: string | Buffer,
): number {
  if (result < 0) throw new PosixError({ errno: lastErrno(), syscall, path, dest });
  return result;
}
