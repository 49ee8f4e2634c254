/** Paths and names as C strings. A Buffer is taken byte for byte, a string as UTF-8. */
import { isUtf8 } from 'node:buffer';

/**
 * What koffi passes for a `char *` parameter: a JavaScript string as it is, bytes with a final NUL.
 *
 * @param name of the argument, for the message
 * @throws {TypeError} for anything else than text or bytes, and for embedded NULs
 */
export function cString(value: string | Uint8Array, name: string): string | Buffer {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new TypeError(`${name} must not contain NUL`);
    return value;
  }
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a string or a Buffer`);
  if (value.includes(0)) throw new TypeError(`${name} must not contain NUL`);
  const terminated = Buffer.allocUnsafe(value.length + 1);
  terminated.set(value);
  terminated[value.length] = 0;
  return terminated;
}

/** A path for people: UTF-8 as it is, other bytes as `\xNN`. */
export function printablePath(path: string | Uint8Array): string {
  if (typeof path === 'string') return path;
  if (isUtf8(path)) return Buffer.from(path).toString('utf8');
  return Array.from(path, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}
