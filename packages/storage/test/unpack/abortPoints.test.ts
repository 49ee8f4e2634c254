import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { StorageError } from '@sediment/core';
import * as posix from '@sediment/posix';
import { O_CREAT } from '@sediment/posix';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runUnpackJob } from '../../src/unpack/runUnpackJob.ts';
import { produceDiff } from '../../src/unpack/split/produceDiff.ts';
import { SlotWriter } from '../../src/unpack/split/slotWriter.ts';
import { BATCH_FILES, SLOT_BYTES, SLOTS, SplitMemory } from '../../src/unpack/split/splitMemory.ts';
import type { UnpackJob } from '../../src/unpack/unpackJob.ts';
import { buildTar, type EntrySpec } from './tarBuilder.ts';
import { NEEDS_ROOT, OVERLAY, testDirectory } from './unpackHelper.ts';

vi.mock('node:fs', async (original) => {
  const actual = await original<typeof fs>();
  return { ...actual, readSync: vi.fn(actual.readSync) };
});
vi.mock('@sediment/posix', async (original) => {
  const actual = await original<typeof posix>();
  return { ...actual, openat: vi.fn(actual.openat), write: vi.fn(actual.write) };
});

const real = await vi.importActual<typeof posix>('@sediment/posix');
const { openat, write } = vi.mocked(posix);
const readSync = vi.mocked(fs.readSync);

const MIB = 1024 * 1024;
const temp = testDirectory('abort');
afterAll(() => temp.remove());
let count = 0;

/** Raised by a test in the middle of some step; what is done after that is counted. */
let aborted = false;
beforeEach(() => {
  aborted = false;
  vi.clearAllMocks();
});

function prepare(blob: Buffer): UnpackJob & { root: string } {
  const directory = join(temp.path, String(count++));
  const root = join(directory, 'tree');
  mkdirSync(root, { recursive: true });
  const path = join(directory, 'blob');
  writeFileSync(path, blob);
  return {
    what: 'layer 1',
    root,
    blob: { path, offset: 0, length: blob.length },
    expect: {},
    tree: { root, policy: OVERLAY },
  };
}

describe('The producing half stops', () => {
  const checkpoint = () => {
    if (aborted) throw new StorageError('ABORTED', 'stopped');
  };

  /** What the consumer would get, in bytes. */
  function filled({ control, slots }: SplitMemory): number {
    return slots
      .filter(({ state, kind }) => Atomics.load(control, state) === 1 && Atomics.load(control, kind) === 0)
      .reduce((sum, { length }) => sum + Atomics.load(control, length), 0);
  }

  async function produce(blob: Buffer, abortAt: number) {
    const memory = new SplitMemory();
    let before = 0;
    const onProgress = (bytesRead: number) => {
      if (bytesRead < abortAt || aborted) return;
      aborted = true;
      before = filled(memory);
      readSync.mockClear();
    };
    await expect(produceDiff(prepare(blob), memory, { checkpoint, onProgress })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    return { reads: readSync.mock.calls.length, bytes: filled(memory) - before };
  }

  it('after the block that it was reading', async () => {
    const tar = buildTar([{ name: 'f', data: randomBytes(3 * MIB) }]);
    const { reads, bytes } = await produce(tar, MIB);
    expect(reads).toBe(0);
    expect(bytes).toBeLessThanOrEqual(MIB);
  });

  it('after a block of output, however much a block of input gives', async () => {
    // All of it is one block, and becomes more than the slots can hold.
    const blob = gzipSync(buildTar([{ name: 'f', data: Buffer.alloc(2 * SLOTS * SLOT_BYTES) }]));
    expect(blob.length).toBeLessThan(MIB);
    const { reads, bytes } = await produce(blob, 1);
    expect(reads).toBe(0);
    expect(bytes).toBeLessThanOrEqual(MIB);
  });
});

describe.skipIf(NEEDS_ROOT !== undefined)(
  `The half that makes the tree stops (${NEEDS_ROOT ?? 'as root'})`,
  () => {
    const files: EntrySpec[] = Array.from({ length: 1000 }, (_, i) => ({
      name: `f${i}`,
      data: `content ${i}`,
    }));

    /** Runs the job in this thread: as a whole, or the consuming half of it with all slots filled. */
    async function consume(tar: Buffer, split: boolean) {
      const job = prepare(tar);
      const memory = new SplitMemory();
      if (split) new SlotWriter(memory, () => undefined).write(tar.subarray(0, SLOTS * SLOT_BYTES));
      const hooks = { isAborted: () => aborted, ...(split ? { split: memory } : {}) };
      await expect(runUnpackJob(job, hooks)).rejects.toMatchObject({ code: 'ABORTED' });
      return job;
    }

    it.each([false, true])('before the next entry (two halves: %s)', async (split) => {
      let made = 0;
      openat.mockImplementation((dirfd, path, flags, mode) => {
        if ((flags & O_CREAT) !== 0 && ++made === 300) aborted = true;
        return real.openat(dirfd, path, flags, mode);
      });
      const { root } = await consume(buildTar(files), split);
      expect(made).toBe(300);
      expect(readdirSync(root)).toHaveLength(300);
    });

    it.each([false, true])('before the next block of a large file (two halves: %s)', async (split) => {
      write.mockImplementation((fd, bytes) => {
        if (write.mock.calls.length === 2) aborted = true;
        real.write(fd, bytes);
      });
      await consume(buildTar([{ name: 'f', data: randomBytes(3 * MIB) }]), split);
      expect(write).toHaveBeenCalledTimes(2);
    });

    it('after the files that it writes together', async () => {
      write.mockImplementation((fd, bytes) => {
        aborted = true;
        real.write(fd, bytes);
      });
      await consume(buildTar(files), true);
      expect(write.mock.calls.length).toBeGreaterThan(0);
      expect(write.mock.calls.length).toBeLessThanOrEqual(BATCH_FILES);
    });
  },
);
