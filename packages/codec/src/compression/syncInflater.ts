/**
 * Raw inflate, synchronous and into a buffer of ours: four times the speed of the stream with its
 * defaults. It drives the handle below `zlib.createInflateRaw()`, which is not a documented API.
 * This module is the only one that knows of it, and `createSyncInflater` gives undefined unless a
 * trial run behaves exactly as expected; callers then use documented streams.
 */
import { constants, createInflateRaw } from 'node:zlib';

/**
 * What one step did. `ended` is certain only when input and room in the output are left over. `consumed` is negative when bytes
 * that were taken before turn out to be behind the end; they are then of the same input.
 */
export interface InflateStep {
  consumed: number;
  produced: number;
  ended: boolean;
}

export interface SyncInflater {
  /** Inflates from `input[inputOffset…]` to `output[outputOffset…]`. The result is reused. @throws {Error} on damaged data */
  step(input: Buffer, inputOffset: number, output: Buffer, outputOffset: number): InflateStep;
  /** Prepares for another deflate stream. */
  reset(): void;
  close(): void;
}

interface Handle {
  writeSync(
    flush: number,
    input: Buffer,
    inputOffset: number,
    inputLength: number,
    output: Buffer,
    outputOffset: number,
    outputLength: number,
  ): void;
  reset(): void;
  onerror: (message: string, errno: number, code: string) => void;
}

let usable: boolean | undefined;

/** A new inflater, or undefined if this Node has no such handle. Must be closed. */
export function createSyncInflater(): SyncInflater | undefined {
  usable ??= passesTrial();
  return usable ? openInflater() : undefined;
}

function openInflater(): SyncInflater | undefined {
  const engine = createInflateRaw();
  const { _handle: handle, _writeState: state } = engine as unknown as {
    _handle?: Handle;
    _writeState?: Uint32Array;
  };
  if (typeof handle?.writeSync !== 'function' || !(state instanceof Uint32Array)) {
    engine.close();
    return undefined;
  }
  let failure: string | undefined;
  handle.onerror = (message) => {
    failure = message;
  };
  const result: InflateStep = { consumed: 0, produced: 0, ended: false };
  return {
    step(input, inputOffset, output, outputOffset) {
      const given = input.length - inputOffset;
      const room = output.length - outputOffset;
      handle.writeSync(constants.Z_SYNC_FLUSH, input, inputOffset, given, output, outputOffset, room);
      if (failure !== undefined) throw new Error(failure);
      const [roomLeft = 0, inputLeft = 0] = state;
      result.consumed = given - inputLeft;
      result.produced = room - roomLeft;
      result.ended = inputLeft > 0 && roomLeft > 0;
      return result;
    },
    reset: () => handle.reset(),
    close: () => engine.close(),
  };
}

/** "abc", deflated, and one byte more that must be left over. */
const TRIAL = Buffer.from('4b4c4a0600ff', 'hex');

function passesTrial(): boolean {
  const inflater = openInflater();
  if (inflater === undefined) return false;
  try {
    const output = Buffer.alloc(16);
    const { consumed, produced, ended } = inflater.step(TRIAL, 0, output, 4);
    return ended && consumed === 5 && produced === 3 && output.toString('latin1', 4, 7) === 'abc';
  } catch (error) {
    if (error instanceof Error) return false; // an API of the same name that does something else
    throw error;
  } finally {
    inflater.close();
  }
}
