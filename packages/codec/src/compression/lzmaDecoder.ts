/** LZMA as it stands in the chunks of LZMA2. Source: LZMA specification (LZMA SDK, `lzma-specification.txt`). */
import { HALF, LzmaRange } from './lzmaRange.ts';
import type { LzmaWindow } from './lzmaWindow.ts';

/** Thrown for data that cannot be right; the caller adds the offset. */
export class LzmaFormatError extends Error {}

const STATES = 12;
const MAX_POSITION_STATES = 16;
const MIN_MATCH = 2;
const LITERAL_PROBS = 0x300;

// Places in the array of probabilities.
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * MAX_POSITION_STATES;
const IS_REP0 = IS_REP + STATES;
const IS_REP1 = IS_REP0 + STATES;
const IS_REP2 = IS_REP1 + STATES;
const IS_LONG_REP0 = IS_REP2 + STATES;
const SLOT = IS_LONG_REP0 + STATES * MAX_POSITION_STATES;
const SPECIAL = SLOT + 4 * 64;
const ALIGN = SPECIAL + 128;
const MATCH_LENGTH = ALIGN + 16;
const LENGTH_PROBS = 2 + 2 * MAX_POSITION_STATES * 8 + 256;
const REP_LENGTH = MATCH_LENGTH + LENGTH_PROBS;
const LITERAL = REP_LENGTH + LENGTH_PROBS;

/** Decodes chunks into a window; state and probabilities go on from chunk to chunk until reset. */
export class LzmaDecoder {
  readonly #range = new LzmaRange();
  #probs = new Uint16Array(0);
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;
  #literalContextBits = 0;
  #literalPositionMask = 0;
  #positionMask = 0;

  /** Sets `(pb * 5 + lp) * 9 + lc` from a chunk header, and resets. */
  setProperties(byte: number): void {
    const lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    const pb = Math.floor(byte / 45);
    if (pb > 4 || lc + lp > 4) throw new LzmaFormatError(`properties ${byte} are not valid`);
    this.#literalContextBits = lc;
    this.#literalPositionMask = (1 << lp) - 1;
    this.#positionMask = (1 << pb) - 1;
    this.#probs = new Uint16Array(LITERAL + (LITERAL_PROBS << (lc + lp)));
    this.reset();
  }

  reset(): void {
    this.#probs.fill(HALF);
    this.#state = 0;
    this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0;
  }

  /** Decodes a chunk of `size` bytes of content; the window must have room for them. */
  decode(packed: Uint8Array, window: LzmaWindow, size: number): void {
    if (!this.#range.begin(packed)) throw new LzmaFormatError('a chunk does not begin as it must');
    const end = window.total + size;
    while (window.total < end) {
      const position = window.total & this.#positionMask;
      const state = this.#state;
      if (this.#range.bit(this.#probs, IS_MATCH + state * MAX_POSITION_STATES + position) === 0) {
        this.#literal(window);
        continue;
      }
      const length =
        this.#range.bit(this.#probs, IS_REP + state) === 0 ? this.#match(position) : this.#rep(position);
      if (!window.has(this.#rep0 + 1)) throw new LzmaFormatError('a match begins before the data');
      if (length > end - window.total) throw new LzmaFormatError('a match goes beyond its chunk');
      window.copy(this.#rep0 + 1, length);
    }
    if (!this.#range.finished()) throw new LzmaFormatError('a chunk has not the size that its header says');
  }

  #literal(window: LzmaWindow): void {
    const context =
      ((window.total & this.#literalPositionMask) << this.#literalContextBits) +
      (window.back(1) >> (8 - this.#literalContextBits));
    const base = LITERAL + LITERAL_PROBS * context;
    let symbol = 1;
    if (this.#state >= 7) symbol = this.#matchedLiteral(base, window.back(this.#rep0 + 1));
    while (symbol < 0x100) symbol = (symbol << 1) | this.#range.bit(this.#probs, base + symbol);
    window.put(symbol & 0xff);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** The bits of a literal for as long as they are those of the byte a match would have given. */
  #matchedLiteral(base: number, match: number): number {
    let symbol = 1;
    for (let shift = 7; shift >= 0; shift--) {
      const expected = (match >> shift) & 1;
      const bit = this.#range.bit(this.#probs, base + ((1 + expected) << 8) + symbol);
      symbol = (symbol << 1) | bit;
      if (bit !== expected) break;
    }
    return symbol;
  }

  #match(position: number): number {
    this.#rep3 = this.#rep2;
    this.#rep2 = this.#rep1;
    this.#rep1 = this.#rep0;
    this.#state = this.#state < 7 ? 7 : 10;
    const length = this.#length(MATCH_LENGTH, position);
    this.#rep0 = this.#distance(Math.min(length - MIN_MATCH, 3));
    return length;
  }

  #rep(position: number): number {
    const state = this.#state;
    if (this.#range.bit(this.#probs, IS_REP0 + state) === 0) {
      if (this.#range.bit(this.#probs, IS_LONG_REP0 + state * MAX_POSITION_STATES + position) === 0) {
        this.#state = state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      this.#rotateReps(state);
    }
    this.#state = state < 7 ? 8 : 11;
    return this.#length(REP_LENGTH, position);
  }

  #rotateReps(state: number): void {
    let distance = this.#rep1;
    if (this.#range.bit(this.#probs, IS_REP1 + state) === 1) {
      distance = this.#rep2;
      if (this.#range.bit(this.#probs, IS_REP2 + state) === 1) {
        distance = this.#rep3;
        this.#rep3 = this.#rep2;
      }
      this.#rep2 = this.#rep1;
    }
    this.#rep1 = this.#rep0;
    this.#rep0 = distance;
  }

  #length(base: number, position: number): number {
    if (this.#range.bit(this.#probs, base) === 0) {
      return MIN_MATCH + this.#range.tree(this.#probs, base + 2 + position * 8, 3);
    }
    if (this.#range.bit(this.#probs, base + 1) === 0) {
      return MIN_MATCH + 8 + this.#range.tree(this.#probs, base + 130 + position * 8, 3);
    }
    return MIN_MATCH + 16 + this.#range.tree(this.#probs, base + 258, 8);
  }

  /** Distance minus one. */
  #distance(lengthState: number): number {
    const slot = this.#range.tree(this.#probs, SLOT + lengthState * 64, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return high + this.#range.reverseTree(this.#probs, SPECIAL + high - slot, bits);
    const middle = this.#range.direct(bits - 4) * 16;
    return high + middle + this.#range.reverseTree(this.#probs, ALIGN, 4);
  }
}
