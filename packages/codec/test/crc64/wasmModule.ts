/**
 * The few WebAssembly instructions that `crc64Program.ts` needs, as functions that give the bytes
 * they are encoded as, one character a byte: a program is written as nested calls, and no tool is
 * needed to assemble it.
 *
 * Source: WebAssembly Core Specification 2.0, §5.4 (instructions) and §5.5 (modules).
 */
export type Code = string;

const byte = String.fromCharCode;

/** A local variable or parameter by its index, parameters first. */
export const get = (local: number): Code => byte(0x20, local);
export const set = (local: number, value: Code): Code => value + byte(0x21, local);

export const i32 = (value: number): Code => `\x41${signed(value)}`;
export const i32Add = (a: Code, b: Code): Code => `${a + b}\x6a`;
export const i32Sub = (a: Code, b: Code): Code => `${a + b}\x6b`;
export const i32Shl = (a: Code, b: Code): Code => `${a + b}\x74`;
/** a ≤ b, both without sign. */
export const i32AtMost = (a: Code, b: Code): Code => `${a + b}\x4d`;

export const i64 = (value: number): Code => `\x42${signed(value)}`;
/** An i32 without sign as an i64. */
export const i64Of = (value: Code): Code => `${value}\xad`;
export const i64Sub = (a: Code, b: Code): Code => `${a + b}\x7d`;
export const i64Xor = (a: Code, b: Code): Code => `${a + b}\x85`;
export const i64Shl = (a: Code, b: Code): Code => `${a + b}\x86`;
/** To the right, filled with zeros. */
export const i64Shr = (a: Code, b: Code): Code => `${a + b}\x88`;
export const i64Load = (at: Code, offset: number): Code => `${at}\x29\0${unsigned(offset)}`;
export const i64Store = (at: Code, offset: number, value: Code): Code =>
  `${at + value}\x37\0${unsigned(offset)}`;

export const v128Load = (at: Code, offset: number): Code => `${at}\xfd\0\0${unsigned(offset)}`;
export const v128Store = (at: Code, offset: number, value: Code): Code =>
  `${at + value}\xfd\x0b\0${unsigned(offset)}`;
export const v128Xor = (a: Code, b: Code): Code => `${a + b}\xfd\x51`;
/** Of `a` followed by `b`, the 16 bytes that begin at byte `first` of `a`. */
export const v128Window = (a: Code, b: Code, first: number): Code =>
  `${a + b}\xfd\x0d${byte(...Array.from({ length: 16 }, (_, i) => first + i))}`;

export const when = (condition: Code, ...body: readonly Code[]): Code =>
  `${condition}\x04\x40${body.join('')}\x0b`;
/** Runs the body, and again as long as the condition holds. */
export const repeatWhile = (condition: Code, ...body: readonly Code[]): Code =>
  `\x03\x40${body.join('')}${condition}\x0d\0\x0b`;

const TYPES = { i32: '\x7f', i64: '\x7e', v128: '\x7b' };

export interface WasmFunction {
  readonly name: string;
  /** How many parameters, all of type i32; there is no result. */
  readonly parameters: number;
  /** The types of the locals, which follow the parameters. */
  readonly locals: readonly (keyof typeof TYPES)[];
  readonly body: readonly Code[];
}

/** A module of one exported function and one exported memory of `pages` pages of 64 KiB. */
export function encodeWasmModule(pages: number, { name, parameters, locals, body }: WasmFunction): Buffer {
  const code = `${list(locals.map((local) => `\x01${TYPES[local]}`))}${body.join('')}\x0b`;
  const module = [
    '\0asm\x01\0\0\0',
    section(1, `\x60${list(Array(parameters).fill(TYPES.i32))}\0`),
    section(3, '\0'),
    section(5, `\x01${unsigned(pages)}${unsigned(pages)}`),
    section(7, `${sized('memory')}\x02\0`, `${sized(name)}\0\0`),
    section(10, sized(code)),
  ];
  return Buffer.from(module.join(''), 'latin1');
}

function section(id: number, ...items: readonly Code[]): Code {
  return byte(id) + sized(list(items));
}

function list(items: readonly Code[]): Code {
  return unsigned(items.length) + items.join('');
}

function sized(bytes: Code): Code {
  return unsigned(bytes.length) + bytes;
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? byte(value) : byte((value & 0x7f) | 0x80) + unsigned(value >>> 7);
}

/** Signed LEB128, of a number of 32 bits. */
function signed(value: number): Code {
  const last = value >= -0x40 && value < 0x40;
  return last ? byte(value & 0x7f) : byte((value & 0x7f) | 0x80) + signed(value >> 7);
}
