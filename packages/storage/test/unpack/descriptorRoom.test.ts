import { closeSync, fstatSync, openSync } from 'node:fs';
import * as posix from '@sediment/posix';
import { PosixError } from '@sediment/posix';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { isScarce, withDescriptorRoom } from '../../src/unpack/descriptorRoom.ts';
import { closeWritten, flushWritten, withFileWriteback } from '../../src/unpack/fileWriteback.ts';

vi.mock('@sediment/posix', async (original) => {
  const actual = await original<typeof posix>();
  // A quarter of it is above what this process has open.
  return { ...actual, openFileLimit: vi.fn(() => 4000), sleepMicroseconds: vi.fn() };
});

const { sleepMicroseconds } = vi.mocked(posix);

function failing(times: number, errno: number) {
  let count = 0;
  return vi.fn(() => {
    if (count++ < times) throw new PosixError({ errno, syscall: 'openat' });
    return count;
  });
}

const EMFILE = 24;
const ENFILE = 23;
const EACCES = 13;

describe('Room for descriptors', () => {
  const makeRoom = vi.fn();
  beforeEach(() => {
    vi.clearAllMocks();
    makeRoom.mockReset();
  });

  it('knows by the number of a descriptor that there are many', () => {
    expect([0, 2999, 3000, 3999].map(isScarce)).toEqual([false, false, true, true]);
  });

  it.each([EMFILE, ENFILE])('makes room once, and waits only when that was not enough (%i)', (errno) => {
    expect(withDescriptorRoom(failing(0, errno), makeRoom)).toBe(1);
    expect(makeRoom).not.toHaveBeenCalled();
    expect(withDescriptorRoom(failing(1, errno), makeRoom)).toBe(2);
    expect(makeRoom).toHaveBeenCalledTimes(1);
    expect(sleepMicroseconds).not.toHaveBeenCalled();
    expect(withDescriptorRoom(failing(3, errno), makeRoom)).toBe(4);
    expect(makeRoom).toHaveBeenCalledTimes(4);
    expect(sleepMicroseconds).toHaveBeenCalledTimes(2);
  });

  it('gives up in the end', () => {
    expect(() => withDescriptorRoom(failing(1000, EMFILE), makeRoom)).toThrow('EMFILE');
    expect(makeRoom).toHaveBeenCalledTimes(50);
  });

  it('passes on what has other reasons, and what stops it', () => {
    expect(() => withDescriptorRoom(failing(1, EACCES), makeRoom)).toThrow('EACCES');
    expect(makeRoom).not.toHaveBeenCalled();
    makeRoom.mockImplementation(() => {
      throw new Error('stopped');
    });
    const attempt = failing(1000, EMFILE);
    expect(() => withDescriptorRoom(attempt, makeRoom)).toThrow('stopped');
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  it('closes files that wait for the disk when asked to', async () => {
    const options = { what: 'layer 1', checkpoint: () => undefined };
    await withFileWriteback(options, async () => {
      const fd = openSync('/dev/null', 'w');
      closeWritten(fd, 1);
      expect(fstatSync(fd).isCharacterDevice()).toBe(true);
      flushWritten();
      expect(() => closeSync(fd)).toThrow('EBADF');
    }).catch((error: unknown) => expect(String(error)).toContain('sync_file_range'));
  });
});
