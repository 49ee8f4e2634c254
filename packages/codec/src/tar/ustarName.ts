/** Where a name goes in a ustar header: the field has 100 bytes, a prefix takes directories in front of it. */
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const SLASH = 0x2f;

export interface SplitName {
  readonly prefix: Buffer;
  readonly name: Buffer;
}

/** A long ASCII name split at a slash so that both parts fit; undefined when it needs no split or has none. */
export function splitUstarName(name: Buffer): SplitName | undefined {
  if (name.length <= NAME_BYTES || !isAscii(name)) return undefined;
  // A slash at the very end belongs to the name.
  const searched = name.length > PREFIX_BYTES + 1 ? PREFIX_BYTES + 1 : withoutLastSlash(name);
  const slash = name.subarray(0, searched).lastIndexOf(SLASH);
  const rest = name.length - slash - 1;
  if (slash <= 0 || rest === 0 || rest > NAME_BYTES) return undefined;
  return { prefix: name.subarray(0, slash), name: name.subarray(slash + 1) };
}

/** Whether all bytes are ASCII and none is a NUL. */
export function isAscii(text: Buffer): boolean {
  return text.every((byte) => byte !== 0 && byte < 0x80);
}

/** The text without all that is no ASCII: what goes into fields whose true value a PAX record has. */
export function onlyAscii(text: Buffer): Buffer {
  return isAscii(text) ? text : Buffer.from(text.filter((byte) => byte !== 0 && byte < 0x80));
}

function withoutLastSlash(name: Buffer): number {
  return name[name.length - 1] === SLASH ? name.length - 1 : name.length;
}
