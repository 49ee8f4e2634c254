import * as w from './wasmModule.ts';

/**
 * The program of `src/crc64/crc64Wasm.ts`, which explains the arithmetic: `update(p, end)` feeds the
 * bytes from `p` up to `end` into the CRC at address 0. It overwrites the bytes, and reads up to 7
 * behind them.
 */
export function crc64Program(): w.WasmFunction {
  return {
    name: 'update',
    parameters: 2,
    locals: ['i64', 'i64', ...[...BLOCK, ...SUMS].map(() => 'v128' as const)],
    body: [
      w.set(CRC, w.i64Load(w.i32(0), 0)),
      w.when(fits(2 * BLOCK_BYTES), ...foldBlocks()),
      w.when(fits(WORD_BYTES), w.repeatWhile(fits(WORD_BYTES), ...foldWord())),
      w.when(fits(1), ...foldRest()),
      w.i64Store(w.i32(0), 0, crc),
    ],
  };
}

const BLOCK_BYTES = 64;
const WORD_BYTES = 8;

// Parameters and locals of the function, by their indices.
const P = 0;
const END = 1;
const CRC = 2;
const WORD = 3;
const BLOCK = [4, 5, 6, 7] as const;
const SUMS = [8, 9, 10, 11] as const;

const p = w.get(P);
const crc = w.get(CRC);
const word = w.get(WORD);
const [a, b, c, d] = [w.get(BLOCK[0]), w.get(BLOCK[1]), w.get(BLOCK[2]), w.get(BLOCK[3])];
const [ab, bc, cd, de] = [w.get(SUMS[0]), w.get(SUMS[1]), w.get(SUMS[2]), w.get(SUMS[3])];

function fits(bytes: number): w.Code {
  return w.i32AtMost(w.i32Add(p, w.i32(bytes)), w.get(END));
}

function advance(bytes: number): w.Code {
  return w.set(P, w.i32Add(p, w.i32(bytes)));
}

/**
 * Leaves the last whole block standing for all bytes before it. The block is the vectors a b c d, and
 * `e` is `a` of the next one: as soon as that is known, the sum over the border can be formed.
 */
function foldBlocks(): w.Code[] {
  return [
    w.i64Store(p, 0, w.i64Xor(crc, w.i64Load(p, 0))),
    reduceOverflow(),
    ...BLOCK.map((vector, i) => w.set(vector, load(i))),
    w.set(SUMS[0], timesOnePlus(1, a, b)),
    advance(BLOCK_BYTES),
    w.repeatWhile(
      fits(BLOCK_BYTES),
      w.set(SUMS[1], timesOnePlus(1, b, c)),
      w.set(SUMS[2], timesOnePlus(1, c, d)),
      w.set(BLOCK[0], w.v128Xor(load(0), timesOnePlus(3, ab, bc))),
      w.set(SUMS[3], timesOnePlus(1, d, a)),
      w.set(BLOCK[1], w.v128Xor(load(1), timesOnePlus(3, bc, cd))),
      w.set(BLOCK[2], w.v128Xor(load(2), timesOnePlus(3, cd, de))),
      w.set(SUMS[0], timesOnePlus(1, a, b)),
      w.set(BLOCK[3], w.v128Xor(load(3), timesOnePlus(3, de, ab))),
      advance(BLOCK_BYTES),
    ),
    advance(-BLOCK_BYTES),
    ...BLOCK.map((vector, i) => w.v128Store(p, i * 16, w.get(vector))),
    reduceOverflow(),
    w.set(CRC, w.i64(0)),
  ];
}

function load(vector: number): w.Code {
  return w.v128Load(p, vector * 16);
}

/** `vector` times 1 + x^(8 · bytes), where `next` is what follows it. */
function timesOnePlus(bytes: number, vector: w.Code, next: w.Code): w.Code {
  return w.v128Xor(vector, w.v128Window(vector, next, bytes));
}

/**
 * Adds to the end of the block at `p` what its first four bytes give there when it is multiplied:
 * the loop does that when it has the block after it. So it has to be done for the first block, which
 * the loop does not make, and undone, which is the same, for the last one, which it does not multiply.
 */
function reduceOverflow(): w.Code {
  const overflow = (bytes: number) => w.i64Shl(w.i64Load(p, 0), w.i64(64 - 8 * bytes));
  const sum = w.i64Xor(w.i64Xor(overflow(1), overflow(3)), overflow(4));
  return w.i64Store(p, BLOCK_BYTES - WORD_BYTES, w.i64Xor(w.i64Load(p, BLOCK_BYTES - WORD_BYTES), sum));
}

function foldWord(): w.Code[] {
  return [...timesX64(w.i64Xor(crc, w.i64Load(p, 0))), w.set(CRC, word), advance(WORD_BYTES)];
}

/** Sets `word` to `value` times x^64: first what overflows is reduced, then all is multiplied. */
function timesX64(value: w.Code): w.Code[] {
  const overflow = (bits: number) => w.i64Shl(word, w.i64(64 - bits));
  const timesOnePlusX = (bits: number) => w.set(WORD, w.i64Xor(word, w.i64Shr(word, w.i64(bits))));
  return [
    w.set(WORD, value),
    w.set(WORD, w.i64Xor(w.i64Xor(word, overflow(1)), w.i64Xor(overflow(3), overflow(4)))),
    timesOnePlusX(1),
    timesOnePlusX(3),
  ];
}

/** The last 1 to 7 bytes: those bits of the CRC that they meet are one word, the others only move. */
function foldRest(): w.Code[] {
  const bits = w.i64Of(w.i32Shl(w.i32Sub(w.get(END), p), w.i32(3)));
  return [
    ...timesX64(w.i64Shl(w.i64Xor(crc, w.i64Load(p, 0)), w.i64Sub(w.i64(64), bits))),
    w.set(CRC, w.i64Xor(w.i64Shr(crc, bits), word)),
  ];
}
