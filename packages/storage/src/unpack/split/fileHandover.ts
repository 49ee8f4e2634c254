import { writeSync } from 'node:fs';
import type { TarHeader } from '@sediment/codec';
import { close, futimens, PosixError } from '@sediment/posix';
import { isScarce } from '../descriptorRoom.ts';
import { fileTimes } from '../entryTimes.ts';
import { closeWritten } from '../fileWriteback.ts';
import { BATCH_STATE, contentOf, emptyBatch, writeReadyBatch } from './fileBatches.ts';
import {
  BATCH_FILES,
  BATCHES,
  type BatchFields,
  type HandedFile,
  type SlotFields,
  SPLIT_MODE,
  type SplitMemory,
} from './splitMemory.ts';

const EIO = 5;

/** Makes the error to be thrown of what went wrong with the file of an entry. */
export type ExplainFailure = (error: unknown, header: TarHeader) => unknown;

/**
 * The consumer's end of the batches: files that it has made and opened get content and times from whichever thread
 * has time for it. Only open descriptors change hands; all names are made by the consumer, in the order of the tar.
 */
export class FileHandover {
  readonly #memory: SplitMemory;
  readonly #headers: TarHeader[][] = Array.from({ length: BATCHES }, () => []);
  #slot = 0;
  /** The batch that is being filled. */
  #open: number | undefined;
  /** Whether batches may be under way. */
  #dirty = false;
  #explain: ExplainFailure | undefined;

  constructor(memory: SplitMemory) {
    this.#memory = memory;
  }

  /** Call before the content of a slot is parsed. */
  beginSlot(slot: number): void {
    this.#slot = slot;
  }

  /** Call after that: the files of a batch refer to one slot. */
  endSlot(): void {
    this.#send();
  }

  /** Whether these bytes lie in the slot, and are not a copy. */
  holds(bytes: Uint8Array): boolean {
    return bytes.buffer === this.#memory.buffer;
  }

  /**
   * Takes an open file and all of its content, which {@link holds}; false if there is no room, or too many files are open
   * already.
   */
  take(fd: number, header: TarHeader, bytes: Uint8Array | undefined, explain: ExplainFailure): boolean {
    this.#explain = explain;
    if (isScarce(fd)) {
      this.#send();
      writeReadyBatch(this.#memory);
      return false;
    }
    const batch = this.#open ?? this.#openBatch(explain);
    if (batch === undefined) return false;
    const memory = this.#memory;
    const headers = this.#headers[batch] as TarHeader[];
    const offset = bytes === undefined ? 0 : bytes.byteOffset - memory.contentAt(this.#slot);
    memory.setFile(batch, headers.length, { fd, offset, length: bytes?.length ?? 0, ...fileTimes(header) });
    headers.push(header);
    if (headers.length === BATCH_FILES) this.#send();
    return true;
  }

  /**
   * Does again what failed. Call while waiting for content: a batch that failed holds its slot, which the producer may
   * be waiting for.
   */
  retry(): void {
    if (this.#dirty && this.#explain !== undefined) this.#retryFailed(this.#explain);
  }

  /** Returns when all files are written; throws what went wrong with one, or what `checkpoint` throws. */
  settle(explain: ExplainFailure, checkpoint: () => void): void {
    if (!this.#dirty) return;
    this.#send();
    const memory = this.#memory;
    memory.waitFor(() => {
      do this.#retryFailed(explain);
      while (writeReadyBatch(memory));
      return this.#all(BATCH_STATE.empty) ? true : undefined;
    }, checkpoint);
    this.#dirty = false;
  }

  /**
   * Has all files closed that either thread holds for this job: those that are not written yet, as {@link settle}, and
   * those that wait for the disk.
   */
  makeRoom(explain: ExplainFailure, checkpoint: () => void): void {
    this.settle(explain, checkpoint);
    const memory = this.#memory;
    memory.roomWanted = true;
    memory.waitFor(() => (memory.roomWanted ? undefined : true), checkpoint);
  }

  /** Closes the files that are not written yet. A thread that has died may have left others open. */
  abandon(): void {
    if (!this.#dirty) return;
    this.#send();
    const { control, batches } = this.#memory;
    const { ready, taken, failed } = BATCH_STATE;
    for (const { state } of batches) Atomics.compareExchange(control, state, ready, failed);
    const isDone = () =>
      this.#memory.mode === SPLIT_MODE.closed ||
      batches.every(({ state }) => Atomics.load(control, state) !== taken);
    this.#memory.waitFor(
      () => (isDone() ? true : undefined),
      () => undefined,
    );
    for (const [i, { state }] of batches.entries()) {
      if (Atomics.load(control, state) === failed) this.#closeRest(i);
    }
    this.#dirty = false;
  }

  #openBatch(explain: ExplainFailure): number | undefined {
    let batch = this.#findEmpty();
    if (batch === undefined) {
      this.#retryFailed(explain);
      writeReadyBatch(this.#memory);
      batch = this.#findEmpty();
      if (batch === undefined) return undefined;
    }
    const { control, batches, slots } = this.#memory;
    const { slot, closeErrno } = batches[batch] as BatchFields;
    Atomics.store(control, slot, this.#slot);
    Atomics.store(control, closeErrno, 0);
    Atomics.add(control, (slots[this.#slot] as SlotFields).users, 1);
    this.#headers[batch] = [];
    this.#open = batch;
    this.#dirty = true;
    return batch;
  }

  #send(): void {
    const batch = this.#open;
    if (batch === undefined) return;
    this.#open = undefined;
    const { control, batches } = this.#memory;
    const { state, count, done } = batches[batch] as BatchFields;
    Atomics.store(control, count, (this.#headers[batch] as TarHeader[]).length);
    Atomics.store(control, done, 0);
    Atomics.store(control, state, BATCH_STATE.ready);
    this.#memory.changed();
  }

  #findEmpty(): number | undefined {
    const { control, batches } = this.#memory;
    const index = batches.findIndex(({ state }) => Atomics.load(control, state) === BATCH_STATE.empty);
    return index < 0 ? undefined : index;
  }

  #all(wanted: number): boolean {
    const { control, batches } = this.#memory;
    return batches.every(({ state }) => Atomics.load(control, state) === wanted);
  }

  /** Does again what failed in a batch, and gives the rest of it to whoever has time. */
  #retryFailed(explain: ExplainFailure): void {
    const { control, batches } = this.#memory;
    for (const [i, fields] of batches.entries()) {
      if (Atomics.load(control, fields.state) !== BATCH_STATE.failed) continue;
      const at = Atomics.load(control, fields.done);
      try {
        this.#retry(i, at);
      } catch (error) {
        throw explain(error, (this.#headers[i] as TarHeader[])[at] as TarHeader);
      }
      Atomics.store(control, fields.state, BATCH_STATE.ready);
      this.#memory.changed();
    }
  }

  #retry(batch: number, at: number): void {
    const memory = this.#memory;
    const { done, closeErrno } = memory.batches[batch] as BatchFields;
    const file = memory.getFile(batch, at);
    const errno = Atomics.load(memory.control, closeErrno);
    if (errno === 0) writeFromStart(file, contentOf(memory, batch, file));
    // From here on the descriptor is not ours any more, whatever close(2) says.
    Atomics.store(memory.control, done, at + 1);
    Atomics.store(memory.control, closeErrno, 0);
    if (errno !== 0) throw new PosixError({ errno, syscall: 'close' });
    closeWritten(file.fd, file.length);
  }

  #closeRest(batch: number): void {
    const { control, batches } = this.#memory;
    const { done, count, closeErrno } = batches[batch] as BatchFields;
    const first = Atomics.load(control, done) + (Atomics.load(control, closeErrno) === 0 ? 0 : 1);
    for (let i = first; i < Atomics.load(control, count); i++) close(this.#memory.getFile(batch, i).fd);
    emptyBatch(this.#memory, batch);
  }
}

/** The first attempt may have written a part. */
function writeFromStart(file: HandedFile, content: Buffer): void {
  const { length } = content;
  for (let at = 0; at < length; ) {
    const written = writeSync(file.fd, content, at, length - at, at);
    if (written === 0) throw new PosixError({ errno: EIO, syscall: 'write' });
    at += written;
  }
  futimens(file.fd, file);
}
