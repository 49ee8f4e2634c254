import { isUtf8 } from 'node:buffer';

/** A name of a tar for people: UTF-8 as it is, other bytes as `\xNN`. */
export function printableName(name: Buffer): string {
  if (isUtf8(name)) return name.toString('utf8');
  return Array.from(name, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}
