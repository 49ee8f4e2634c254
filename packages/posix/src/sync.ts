/** Bringing file content to its medium. */
import { asyncCFunction, cFunction } from './library.ts';
import { checked, PosixError } from './posixError.ts';

/** {@link syncFileRange}: wait for what is being written already. */
export const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
/** {@link syncFileRange}: begin to write what is not being written yet. */
export const SYNC_FILE_RANGE_WRITE = 2;
/** {@link syncFileRange}: wait until that is written. */
export const SYNC_FILE_RANGE_WAIT_AFTER = 4;

/** Part of a file, in bytes. `length` 0: to its end. */
export interface FileRange {
  readonly offset: number;
  readonly length: number;
}

const c = {
  syncfs: cFunction<[number]>('syncfs', { parameters: ['int'] }),
  syncfsAsync: asyncCFunction<[number]>('syncfs', { parameters: ['int'] }),
  syncFileRange: cFunction<[number, number, number, number]>('sync_file_range', {
    parameters: ['int', 'int64_t', 'int64_t', 'uint32_t'],
  }),
  syncFileRangeAsync: asyncCFunction<[number, number, number, number]>('sync_file_range', {
    parameters: ['int', 'int64_t', 'int64_t', 'uint32_t'],
  }),
};

const WHOLE: FileRange = { offset: 0, length: 0 };

/** Writes everything of the file system that holds `fd` to its medium; reports write errors (Linux 5.8). */
export function syncfs(fd: number): void {
  checked(c.syncfs(fd), 'syncfs');
}

/** {@link syncfs} in another thread. The descriptor must stay open until the promise settles. */
export async function syncfsAsync(fd: number): Promise<void> {
  const { result, errno } = await c.syncfsAsync(fd);
  if (result < 0) throw new PosixError({ errno, syscall: 'syncfs' });
}

/**
 * Begins to write the dirty pages of a file to its medium, waits for them, or both. Neither metadata (the size, where the
 * blocks are) nor the medium's own cache is written: see sync_file_range(2).
 *
 * @throws {PosixError} EIO, ENOSPC and the like when writing failed since the file was opened
 */
export function syncFileRange(fd: number, flags: number, { offset, length }: FileRange = WHOLE): void {
  checked(c.syncFileRange(fd, offset, length, flags), 'sync_file_range');
}

/** {@link syncFileRange} of a whole file in another thread. The descriptor must stay open until the promise settles. */
export async function syncFileRangeAsync(fd: number, flags: number): Promise<void> {
  const { result, errno } = await c.syncFileRangeAsync(fd, 0, 0, flags);
  if (result < 0) throw new PosixError({ errno, syscall: 'sync_file_range' });
}
