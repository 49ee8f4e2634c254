/** Lengths of the hexadecimal part by algorithm. */
const HEX_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** What the Go command finds wrong with a text that is no digest. */
export function digestDefect(text: string): string {
  const match = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(text);
  if (match === null) return 'invalid checksum digest format';
  const [, algorithm = '', hex = ''] = match;
  const length = HEX_LENGTHS[algorithm];
  if (length === undefined) return 'unsupported digest algorithm';
  return hex.length === length ? 'invalid checksum digest format' : 'invalid checksum digest length';
}
