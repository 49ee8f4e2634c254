import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
  syncFileRangeAsync,
  syncfsAsync,
} from '../src/index.ts';

const ALL = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

describe.skipIf(process.platform !== 'linux')('Bringing content to the disk (needs Linux)', () => {
  let directory: string;
  let fd: number;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sediment-sync-'));
    fd = openSync(join(directory, 'file'), 'w');
    writeSync(fd, 'x'.repeat(10_000));
  });
  afterEach(() => {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  it('works for a file, a part of it, and a file system', async () => {
    syncFileRange(fd, SYNC_FILE_RANGE_WRITE, { offset: 4096, length: 4096 });
    syncFileRange(fd, ALL);
    await syncFileRangeAsync(fd, ALL);
    await syncfsAsync(fd);
  });

  it('throws what the kernel says, also from another thread', async () => {
    expect(() => syncFileRange(fd, 64)).toThrow('EINVAL');
    expect(() => syncFileRange(-1, ALL)).toThrow('EBADF');
    await expect(syncFileRangeAsync(-1, ALL)).rejects.toMatchObject({
      code: 'EBADF',
      syscall: 'sync_file_range',
    });
    await expect(syncfsAsync(-1)).rejects.toMatchObject({ code: 'EBADF', syscall: 'syncfs' });
  });

  it('leaves the thread alone meanwhile', async () => {
    const order: string[] = [];
    const synced = syncfsAsync(fd).then(() => order.push('synced'));
    order.push('called');
    await synced;
    expect(order).toEqual(['called', 'synced']);
  });
});
