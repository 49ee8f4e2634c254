import { fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as posix from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  awaitWritten,
  beginWritten,
  closeWritten,
  withFileWriteback,
} from '../../src/unpack/fileWriteback.ts';

vi.mock('@sediment/posix', async (original) => {
  const actual = await original<typeof posix>();
  return {
    ...actual,
    syncFileRange: vi.fn(actual.syncFileRange),
    syncfsAsync: vi.fn(actual.syncfsAsync),
  };
});

const { syncFileRange, syncfsAsync } = vi.mocked(posix);

describe('Writing files back', () => {
  let directory: string;
  const options = { what: 'layer 1', checkpoint: () => undefined };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sediment-writeback-'));
    vi.clearAllMocks();
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const open = (name: number) => openSync(join(directory, String(name)), 'w');

  function openOnes(fds: readonly number[]): number[] {
    return fds.filter((fd) => {
      try {
        return fstatSync(fd).isFile();
      } catch {
        return false;
      }
    });
  }

  it('does nothing for jobs that do not ask for it', () => {
    const fd = open(1);
    beginWritten(fd, 0, 1);
    awaitWritten(fd);
    closeWritten(fd, 1);
    expect(openOnes([fd])).toEqual([]);
    expect(syncFileRange).not.toHaveBeenCalled();
  });

  it('begins and awaits every file, keeps at most 200 open, and closes all', async () => {
    const fds = new Set<number>();
    let most = 0;
    await withFileWriteback(options, async () => {
      for (let i = 0; i < 450; i++) {
        const fd = open(i);
        fds.add(fd);
        closeWritten(fd, 10);
        most = Math.max(most, openOnes([...fds]).length);
      }
    });
    expect(most).toBeLessThanOrEqual(200);
    expect(openOnes([...fds])).toEqual([]);
    const flags = syncFileRange.mock.calls.map(([, flag]) => flag);
    expect(flags.filter((flag) => flag === posix.SYNC_FILE_RANGE_WRITE)).toHaveLength(450);
    expect(flags.filter((flag) => flag === 7)).toHaveLength(450);
  });

  it('begins sooner with large files', async () => {
    await withFileWriteback(options, async () => {
      closeWritten(open(1), 20 * 1024 * 1024);
      expect(syncFileRange).toHaveBeenCalledTimes(1);
    });
  });

  it('syncs the file system when there are very many files', async () => {
    const fds: number[] = [];
    await withFileWriteback({ ...options, manyFiles: 10 }, async () => {
      for (let i = 0; i < 90; i++) {
        fds.push(open(i));
        closeWritten(fds.at(-1) as number, 10);
      }
    });
    const begun = syncFileRange.mock.calls.filter(([, flag]) => flag === posix.SYNC_FILE_RANGE_WRITE);
    expect(begun).toHaveLength(10);
    // At 11, 20, 40 and 80 files, and in the end.
    expect(syncfsAsync).toHaveBeenCalledTimes(5);
    await vi.waitFor(() => expect(openOnes(fds)).toEqual([]));
  });

  it('fails when the file system cannot be synced, and can be stopped meanwhile', async () => {
    syncfsAsync.mockRejectedValueOnce(new posix.PosixError({ errno: 5, syscall: 'syncfs' }));
    const many = { ...options, manyFiles: 0 };
    const failed = withFileWriteback(many, async () => closeWritten(open(1), 1));
    await expect(failed).rejects.toMatchObject({ code: 'IO' });
    let written = (): void => undefined;
    syncfsAsync.mockImplementationOnce(
      () =>
        new Promise<void>((resolve) => {
          written = resolve;
        }),
    );
    let looks = 0;
    const checkpoint = () => {
      if (++looks === 3) throw new Error('stopped');
    };
    const stopped = withFileWriteback({ ...many, checkpoint }, async () => closeWritten(open(2), 1));
    await expect(stopped).rejects.toThrow('stopped');
    written();
  });

  it('fails the job when the disk failed, though the layer was read', async () => {
    const fd = open(1);
    const error: unknown = await withFileWriteback(options, async () => {
      syncFileRange.mockImplementationOnce(() => {
        throw new posix.PosixError({ errno: 5, syscall: 'sync_file_range' });
      });
      closeWritten(fd, 1);
    }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'IO', facts: { errnoCode: 'EIO' } });
    expect(String(error)).toContain('layer 1: writing its files to the disk');
    expect(openOnes([fd])).toEqual([]);
  });

  it('closes all files when it is stopped, or when the job fails', async () => {
    const fds = [open(1), open(2)];
    const stop = () => {
      throw new Error('stopped');
    };
    const stopped = withFileWriteback({ what: 'layer 1', checkpoint: stop }, async () =>
      closeWritten(fds[0] as number, 1),
    );
    await expect(stopped).rejects.toThrow('stopped');
    const failed = withFileWriteback(options, async () => {
      closeWritten(fds[1] as number, 1);
      throw new Error('damaged');
    });
    await expect(failed).rejects.toThrow('damaged');
    expect(openOnes(fds)).toEqual([]);
  });
});
