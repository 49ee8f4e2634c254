import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isStorageError } from '@sediment/core';
import * as posix from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Barrier } from '../../src/durability/barrier.ts';

// What a disk does when it fails, or takes its time, and in which order it is asked.
vi.mock('@sediment/posix', async (original) => {
  const actual = await original<typeof posix>();
  return {
    ...actual,
    syncfsAsync: vi.fn(actual.syncfsAsync),
    syncFileRange: vi.fn(actual.syncFileRange),
    syncFileRangeAsync: vi.fn(actual.syncFileRangeAsync),
  };
});

const { syncfsAsync, syncFileRange, syncFileRangeAsync } = vi.mocked(posix);
const diskError = (syscall: string) => new posix.PosixError({ errno: 5, syscall });

describe('A barrier', () => {
  let path: string;
  let note: string;

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'sediment-barrier-'));
    note = join(path, 'note');
    writeFileSync(note, 'text');
    vi.clearAllMocks();
  });
  afterEach(() => {
    rmSync(path, { recursive: true });
  });

  async function withBarrier(
    disk: { journal: boolean; tracked: boolean },
    fn: (barrier: Barrier) => Promise<void>,
  ) {
    const barrier = new Barrier([{ path, ...disk }]);
    try {
      await fn(barrier);
    } finally {
      barrier.close();
    }
  }

  it('does nothing where nothing is to be waited for', async () => {
    const barrier = new Barrier([]);
    await barrier.settle([join(path, 'missing')]);
    barrier.close();
    expect(barrier.tracksFiles).toBe(false);
    expect(syncfsAsync).not.toHaveBeenCalled();
  });

  it('waits for single files on a disk with a journal, all of which are begun first', async () => {
    await withBarrier({ journal: true, tracked: true }, async (barrier) => {
      expect(barrier.tracksFiles).toBe(true);
      await barrier.settle([note, path]);
    });
    expect(syncfsAsync).not.toHaveBeenCalled();
    expect(syncFileRange).toHaveBeenCalledTimes(2);
    expect(syncFileRangeAsync).toHaveBeenCalledTimes(2);
    const [begun, waited] = [syncFileRange, syncFileRangeAsync].map((call) => call.mock.invocationCallOrder);
    expect(Math.max(...(begun as number[]))).toBeLessThan(Math.min(...(waited as number[])));
  });

  it('syncs the file system once for copies that nobody tracks', async () => {
    await withBarrier({ journal: true, tracked: false }, async (barrier) => {
      await barrier.settle();
      await barrier.settle([note]);
    });
    expect(syncfsAsync).toHaveBeenCalledTimes(1);
    expect(syncFileRangeAsync).toHaveBeenCalledTimes(1);
  });

  it('syncs the file system each time where there is no journal to rely on', async () => {
    await withBarrier({ journal: false, tracked: false }, async (barrier) => {
      await barrier.settle();
      await barrier.settle([note]);
    });
    expect(syncfsAsync).toHaveBeenCalledTimes(2);
    expect(syncFileRangeAsync).not.toHaveBeenCalled();
  });

  it('tells what the disk could not write', async () => {
    syncfsAsync.mockRejectedValueOnce(diskError('syncfs'));
    syncFileRangeAsync.mockRejectedValueOnce(diskError('sync_file_range'));
    await withBarrier({ journal: false, tracked: false }, async (barrier) => {
      const error: unknown = await barrier.settle().catch((reason: unknown) => reason);
      expect(isStorageError(error, 'IO')).toBe(true);
      expect(error).toMatchObject({ facts: { path, errnoCode: 'EIO' } });
    });
    await withBarrier({ journal: true, tracked: true }, async (barrier) => {
      const error: unknown = await barrier.settle([note]).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'IO', facts: { path: note } });
    });
  });

  it('lets an abort go on while the disk takes its time', async () => {
    let written = (): void => undefined;
    syncfsAsync.mockImplementationOnce(
      () =>
        new Promise<void>((resolve) => {
          written = resolve;
        }),
    );
    const stop = new AbortController();
    await withBarrier({ journal: false, tracked: false }, async (barrier) => {
      const settled = barrier.settle([], stop.signal).catch((reason: unknown) => reason);
      stop.abort(new Error('enough'));
      expect(await settled).toMatchObject({ code: 'ABORTED' });
    });
    written();
  });
});
