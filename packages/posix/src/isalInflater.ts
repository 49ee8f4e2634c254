import { addressOf } from './address.ts';
import { loadNative, loadSystemLibrary } from './library.ts';

/** What one step did. */
export interface InflateStep {
  consumed: number;
  produced: number;
  /** Whether that was the end of the deflate stream. */
  ended: boolean;
}

/** Inflates raw deflate streams (RFC 1951), synchronously. */
export interface RawInflater {
  /** Inflates from `input[inputOffset…]` to `output[outputOffset…]`. The result is reused. @throws {Error} on damaged data */
  step(input: Buffer, inputOffset: number, output: Buffer, outputOffset: number): InflateStep;
  /** Prepares for another deflate stream. */
  reset(): void;
  close(): void;
}

/**
 * `struct inflate_state` of `igzip_lib.h`, which programs allocate themselves, on 64-bit hosts. A trial run shows whether the
 * library at hand has this form.
 */
const STATE = {
  /** In bytes; twice what the library of 2023 uses. */
  size: 176 * 1024,
  nextOut: 0,
  availOut: 8,
  nextIn: 16,
  availIn: 32,
  /** Bits that were taken from the input and not used yet. */
  bitsRead: 36,
  blockState: 21160,
} as const;
const FINISHED = 5;
const HIGH_WORD = 2 ** 32;

const ERRORS: Readonly<Record<number, string>> = {
  [-1]: 'invalid block',
  [-2]: 'invalid symbol',
  [-3]: 'invalid distance',
};

interface Isal {
  init(state: number): void;
  inflate(state: number): number;
}

let usable: { readonly name: string; readonly isal: Isal | undefined } | undefined;

/**
 * What inflates with the system's ISA-L (libisal), two to three times as fast as zlib on x86; undefined when the host has
 * none that works as expected.
 *
 * @param library its file name
 */
export function isalInflaters(library = 'libisal.so.2'): (() => RawInflater) | undefined {
  if (usable?.name !== library) usable = { name: library, isal: load(library) };
  const { isal } = usable;
  return isal === undefined ? undefined : () => new IsalInflater(isal);
}

function load(name: string): Isal | undefined {
  if ('reason' in loadNative()) return undefined;
  try {
    const lib = loadSystemLibrary(name, 'isal_inflate');
    const isal = {
      init: lib.func('isal_inflate_init', 'void', ['uintptr_t']),
      inflate: lib.func('isal_inflate', 'int', ['uintptr_t']),
    };
    return passesTrial(new IsalInflater(isal)) ? isal : undefined;
  } catch (error) {
    // Absent, or without the functions: koffi throws plain errors.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

class IsalInflater implements RawInflater {
  readonly #isal: Isal;
  readonly #memory = Buffer.alloc(STATE.size);
  readonly #words = new Uint32Array(this.#memory.buffer, this.#memory.byteOffset, STATE.size / 4);
  readonly #address = addressOf(this.#memory);
  readonly #result: InflateStep = { consumed: 0, produced: 0, ended: false };

  constructor(isal: Isal) {
    this.#isal = isal;
    this.reset();
  }

  reset(): void {
    this.#isal.init(this.#address);
  }

  step(input: Buffer, inputOffset: number, output: Buffer, outputOffset: number): InflateStep {
    const given = input.length - inputOffset;
    const room = output.length - outputOffset;
    const words = this.#words;
    this.#setPointer(STATE.nextIn, addressOf(input) + inputOffset);
    words[STATE.availIn / 4] = given;
    this.#setPointer(STATE.nextOut, addressOf(output) + outputOffset);
    words[STATE.availOut / 4] = room;
    const code = this.#isal.inflate(this.#address);
    if (code < 0) throw new Error(ERRORS[code] ?? `ISA-L error ${code}`);
    const result = this.#result;
    result.ended = words[STATE.blockState / 4] === FINISHED;
    // Whole bytes behind the end were taken in advance.
    const ahead = result.ended ? Math.floor((words[STATE.bitsRead / 4] as number) / 8) : 0;
    result.consumed = given - (words[STATE.availIn / 4] as number) - ahead;
    result.produced = room - (words[STATE.availOut / 4] as number);
    if (given > 0 && result.consumed === 0 && result.produced === 0 && !result.ended) {
      throw new Error('no progress');
    }
    return result;
  }

  close(): void {
    // The memory is the collector's.
  }

  #setPointer(field: number, address: number): void {
    this.#words[field / 4] = address % HIGH_WORD;
    this.#words[field / 4 + 1] = Math.floor(address / HIGH_WORD);
  }
}

/** "abc" a thousand times, deflated. */
const TRIAL = Buffer.from('4b4c4a4e1c45a321301a02a321301a02a321301a02a321301a02a321301a02833b0400', 'hex');
const TRIAL_TEXT = 'abc'.repeat(1000);

/** Inflates in pieces, as layers are, and looks at every number. */
function passesTrial(inflater: RawInflater): boolean {
  const input = Buffer.concat([TRIAL, Buffer.alloc(9)]);
  const outputs = [Buffer.alloc(700), Buffer.alloc(TRIAL_TEXT.length)] as const;
  let [consumed, text] = [0, ''];
  for (const [end, output] of [
    [20, outputs[0]],
    [input.length, outputs[1]],
  ] as const) {
    const step = inflater.step(input.subarray(0, end), consumed, output, 0);
    if (step.ended !== (end === input.length)) return false;
    consumed += step.consumed;
    text += output.toString('latin1', 0, step.produced);
  }
  return consumed === TRIAL.length && text === TRIAL_TEXT;
}
