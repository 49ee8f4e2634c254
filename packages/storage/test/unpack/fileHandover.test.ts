import { fstatSync, mkdirSync, openSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TarHeader } from '@sediment/codec';
import * as posix from '@sediment/posix';
import { PosixError } from '@sediment/posix';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { isScarce } from '../../src/unpack/descriptorRoom.ts';
import { closeWritten, withFileWriteback } from '../../src/unpack/fileWriteback.ts';
import { writeReadyBatch } from '../../src/unpack/split/fileBatches.ts';
import { FileHandover } from '../../src/unpack/split/fileHandover.ts';
import { SLOT_STATE, SlotWriter } from '../../src/unpack/split/slotWriter.ts';
import { type SlotFields, SPLIT_MODE, SplitMemory } from '../../src/unpack/split/splitMemory.ts';
import { testDirectory } from './unpackHelper.ts';

vi.mock('@sediment/posix', async (original) => {
  const actual = await original<typeof posix>();
  return { ...actual, write: vi.fn(actual.write), futimens: vi.fn(actual.futimens) };
});
vi.mock('../../src/unpack/descriptorRoom.ts', () => ({ isScarce: vi.fn(() => false) }));

const { write, futimens } = vi.mocked(posix);
const { write: realWrite } = await vi.importActual<typeof posix>('@sediment/posix');
const temp = testDirectory('handover');
afterAll(() => temp.remove());
beforeEach(() => vi.mocked(isScarce).mockReturnValue(false));

const EINTR = 4;
const EIO = 5;
const ENOSPC = 28;
const MTIME_NS = 1_600_000_000_000_000_123n;
let count = 0;

/** Both ends of one memory, in this thread. */
class Ends {
  readonly handover: FileHandover;
  /** As the producer has it. */
  readonly other: SplitMemory;
  readonly fds: number[] = [];
  readonly explained: string[] = [];
  readonly #memory = new SplitMemory();
  readonly #directory = join(temp.path, String(count++));
  #offset = 0;

  constructor() {
    mkdirSync(this.#directory);
    this.handover = new FileHandover(this.#memory);
    this.other = new SplitMemory(this.#memory.buffer);
    // The consumer reads the first slot.
    const { users, state } = this.#memory.slots[0] as SlotFields;
    Atomics.store(this.#memory.control, users, 1);
    Atomics.store(this.#memory.control, state, SLOT_STATE.taken);
    this.handover.beginSlot(0);
  }

  pathOf(name: string): string {
    return join(this.#directory, name);
  }

  readonly explain = (error: unknown, { name }: TarHeader): unknown => {
    this.explained.push(String(name));
    return error;
  };

  /** Hands a file over whose content is its name, a few times. */
  take(name: string, path = this.pathOf(name)): boolean {
    const content = Buffer.from(name.repeat(100));
    const bytes = (this.#memory.contents[0] as Buffer).subarray(this.#offset, this.#offset + content.length);
    bytes.set(content);
    this.#offset += content.length;
    const fd = openSync(path, 'w');
    this.fds.push(fd);
    const header = { name: Buffer.from(name), mtimeNs: MTIME_NS } as unknown as TarHeader;
    return this.handover.take(fd, header, bytes, this.explain);
  }

  settle(): void {
    this.handover.settle(this.explain, () => undefined);
  }

  expectWhole(...names: string[]): void {
    for (const name of names) {
      expect(readFileSync(this.pathOf(name), 'utf8')).toBe(name.repeat(100));
      expect(statSync(this.pathOf(name), { bigint: true }).mtimeNs).toBe(MTIME_NS);
    }
    expect(this.open()).toEqual([]);
  }

  /** Which of its files are open still; others may have got their numbers. */
  open(): string[] {
    return this.fds.flatMap((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        return target.startsWith(this.#directory) || target === '/dev/full' ? [target] : [];
      } catch {
        return [];
      }
    });
  }
}

function failsOnce(errno: number, syscall: string): () => never {
  return () => {
    throw new PosixError({ errno, syscall });
  };
}

describe('A file that is handed over', () => {
  it.each<[string, () => void]>([
    [
      'its disk is full for a moment, when half of it is written',
      () =>
        write.mockImplementationOnce(realWrite).mockImplementationOnce((fd, bytes) => {
          realWrite(fd, bytes.subarray(0, bytes.length / 2));
          failsOnce(ENOSPC, 'write')();
        }),
    ],
    ['its write is interrupted', () => write.mockImplementationOnce(failsOnce(EINTR, 'write'))],
    ['nothing of it is taken', () => write.mockImplementationOnce(failsOnce(EIO, 'write'))],
    ['its times cannot be set at once', () => futimens.mockImplementationOnce(failsOnce(EINTR, 'futimens'))],
  ])('is written by the consumer when %s', (_title, prepare) => {
    const ends = new Ends();
    prepare();
    for (const name of ['a', 'b', 'c']) expect(ends.take(name)).toBe(true);
    ends.handover.endSlot();
    expect(writeReadyBatch(ends.other)).toBe(true);
    // The batch failed, and waits for the consumer.
    expect(ends.open()).not.toEqual([]);
    expect(writeReadyBatch(ends.other)).toBe(false);
    ends.handover.retry();
    // The rest of it is anybody's.
    expect(writeReadyBatch(ends.other)).toBe(true);
    ends.settle();
    ends.expectWhole('a', 'b', 'c');
    expect(ends.explained).toEqual([]);
  });

  it('is written by the consumer when it waits for the last ones', () => {
    const ends = new Ends();
    write.mockImplementationOnce(failsOnce(EINTR, 'write'));
    for (const name of ['a', 'b']) ends.take(name);
    ends.settle();
    ends.expectWhole('a', 'b');
  });

  it('fails with its name when the trouble does not pass, and all are closed', () => {
    const ends = new Ends();
    ends.take('a');
    ends.take('b', '/dev/full');
    ends.take('c');
    ends.handover.endSlot();
    writeReadyBatch(ends.other);
    expect(() => ends.settle()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(ends.explained).toEqual(['b']);
    ends.handover.abandon();
    expect(ends.open()).toEqual([]);
  });

  it('is not taken where descriptors are scarce; those before are written', () => {
    const ends = new Ends();
    expect(ends.take('a')).toBe(true);
    vi.mocked(isScarce).mockReturnValue(true);
    expect(ends.take('b')).toBe(false);
    expect(ends.open()).toEqual([ends.pathOf('b')]);
    ends.settle();
    posix.close(ends.fds[1] as number);
    ends.expectWhole('a');
  });

  it('is closed when the other thread keeps it for the disk, and this one lacks descriptors', async () => {
    const ends = new Ends();
    ends.take('a');
    ends.handover.endSlot();
    await withFileWriteback({ what: 'layer 1', checkpoint: () => undefined }, async () => {
      writeReadyBatch(ends.other);
      const fd = openSync(ends.pathOf('b'), 'w');
      closeWritten(fd, 0);
      expect(ends.open()).toEqual([ends.pathOf('a')]);
      ends.other.roomWanted = true;
      new SlotWriter(ends.other, () => ends.other.setMode(SPLIT_MODE.closed)).help();
      expect(ends.other.roomWanted).toBe(false);
      expect(ends.open()).toEqual([]);
      expect(() => fstatSync(fd)).toThrow('EBADF');
    });
  });

  it('makes room: waits for the other thread, unless it is stopped', () => {
    const ends = new Ends();
    ends.take('a');
    const answer = vi.fn(() => {
      if (ends.other.roomWanted) ends.other.roomWanted = false;
    });
    ends.handover.makeRoom(ends.explain, answer);
    expect(answer).toHaveBeenCalledTimes(1);
    ends.expectWhole('a');
    const stop = () => {
      throw new Error('stopped');
    };
    expect(() => ends.handover.makeRoom(ends.explain, stop)).toThrow('stopped');
  });
});
