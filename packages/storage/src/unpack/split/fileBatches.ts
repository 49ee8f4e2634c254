import { close, futimens, isPosixError, write } from '@sediment/posix';
import { closeWritten } from '../fileWriteback.ts';
import { BATCHES, type BatchFields, type HandedFile, type SplitMemory } from './splitMemory.ts';

/** A batch is the consumer's while it is empty or failed, anybody's while it is ready. */
export const BATCH_STATE = { empty: 0, ready: 1, taken: 2, failed: 3 } as const;

/**
 * Writes one of the batches that wait, if there is one. Either thread may. What fails is left to the consumer, which
 * tries it again and meets the same error where it can be explained.
 */
export function writeReadyBatch(memory: SplitMemory): boolean {
  const { control, batches } = memory;
  const { ready, taken } = BATCH_STATE;
  for (let i = 0; i < BATCHES; i++) {
    const { state } = batches[i] as BatchFields;
    if (Atomics.compareExchange(control, state, ready, taken) !== ready) continue;
    try {
      if (writeFiles(memory, i)) emptyBatch(memory, i);
      else Atomics.store(control, state, BATCH_STATE.failed);
    } catch (error) {
      emptyBatch(memory, i);
      throw error;
    } finally {
      memory.changed();
    }
    return true;
  }
  return false;
}

/** Makes a batch whose files are closed usable again. */
export function emptyBatch(memory: SplitMemory, index: number): void {
  const { state, slot } = memory.batches[index] as BatchFields;
  const used = Atomics.load(memory.control, slot);
  Atomics.store(memory.control, state, BATCH_STATE.empty);
  memory.leaveSlot(used);
}

/** The bytes of a file of a batch. */
export function contentOf(memory: SplitMemory, index: number, { offset, length }: HandedFile): Buffer {
  const slot = Atomics.load(memory.control, (memory.batches[index] as BatchFields).slot);
  return (memory.contents[slot] as Buffer).subarray(offset, offset + length);
}

function writeFiles(memory: SplitMemory, index: number): boolean {
  const { control } = memory;
  const { count, done, closeErrno } = memory.batches[index] as BatchFields;
  const files = Atomics.load(control, count);
  for (let i = Atomics.load(control, done); i < files; i++) {
    const file = memory.getFile(index, i);
    try {
      write(file.fd, contentOf(memory, index, file));
      futimens(file.fd, file);
    } catch (error) {
      if (isPosixError(error)) return false;
      closeFrom(memory, index, i);
      throw error;
    }
    try {
      closeWritten(file.fd, file.length);
    } catch (error) {
      if (!isPosixError(error)) {
        // Stopped. The file itself was taken over.
        closeFrom(memory, index, i + 1);
        throw error;
      }
      Atomics.store(control, closeErrno, error.errno);
      return false;
    }
    Atomics.store(control, done, i + 1);
  }
  return true;
}

function closeFrom(memory: SplitMemory, index: number, first: number): void {
  const { count } = memory.batches[index] as BatchFields;
  for (let i = first; i < Atomics.load(memory.control, count); i++) close(memory.getFile(index, i).fd);
}
