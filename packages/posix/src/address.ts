/**
 * Addresses of bytes, for calls that are made for each file: koffi is 0.1 µs faster with a number than with a
 * Buffer, and names need no Buffer of their own.
 */
import { requireNative } from './library.ts';

/** Names in a row that stay valid; rename, link and symlink take two. */
const SLOTS = 4;
const SLOT_SIZE = 4096 + 1;

interface Slot {
  bytes: Buffer;
  address: number;
}

const slots: Slot[] = [];
let turn = 0;

let lastBuffer: ArrayBufferLike | undefined;
let lastAddress = 0;

/**
 * Address of the first byte. Valid as long as the caller holds `bytes`: what is behind a typed array is never
 * moved, but freed with it.
 */
export function addressOf(bytes: Uint8Array): number {
  const { buffer } = bytes;
  if (buffer !== lastBuffer) {
    lastAddress = Number(requireNative().koffi.address(bytes)) - bytes.byteOffset;
    lastBuffer = buffer;
  }
  return lastAddress + bytes.byteOffset;
}

/**
 * Address of a name as a C string, for a `uintptr_t` parameter: text as UTF-8, a Buffer byte for byte. Valid for
 * one call, as the place is used again for the names of later ones.
 *
 * @param name of the argument, for the message
 * @throws {TypeError} for anything else than text or bytes, and for embedded NULs
 */
export function cStringAddress(value: string | Uint8Array, name: string): number {
  const isText = typeof value === 'string';
  if (!isText && !(value instanceof Uint8Array)) throw new TypeError(`${name} must be a string or a Buffer`);
  const bytes = isText ? Buffer.from(value) : value;
  const { length } = bytes;
  const slot = nextSlot(length + 1);
  const place = slot.bytes;
  // Most names are short, and a loop is through with one before a call of `set` and `includes` has begun.
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0) throw new TypeError(`${name} must not contain NUL`);
    place[i] = byte;
  }
  place[length] = 0;
  return slot.address;
}

function nextSlot(size: number): Slot {
  turn = (turn + 1) % SLOTS;
  const slot = slots[turn];
  if (slot !== undefined && slot.bytes.length >= size) return slot;
  const bytes = Buffer.allocUnsafeSlow(Math.max(size, SLOT_SIZE));
  const made = { bytes, address: Number(requireNative().koffi.address(bytes)) };
  slots[turn] = made;
  return made;
}
