const BLOCK = 512;
const PERMISSIONS = 0o7777;

/**
 * A tar as it would be if its writer had known neither names of users nor types in the mode field: what older
 * programs wrote there differs from newer ones. Whatever else differs stays.
 */
export function plainTar(tar: Buffer, options: { withoutWhiteoutTimes?: boolean } = {}): Buffer {
  const plain = Buffer.from(tar);
  for (let start = 0; start + BLOCK <= plain.length; ) {
    const header = plain.subarray(start, start + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const size = octal(header, 124, 12);
    header.fill(0, 265, 329);
    putOctal(header, 100, 8, octal(header, 100, 8) & PERMISSIONS);
    const name = text(header, 0, 100);
    const isWhiteout = name.slice(name.lastIndexOf('/') + 1).startsWith('.wh.');
    // Go leaves what a whiteout's inode was called elsewhere, since the kernel links them all together.
    if (isWhiteout) header.fill(0, 157, 257);
    if (isWhiteout && options.withoutWhiteoutTimes === true) putOctal(header, 136, 12, 0);
    seal(header);
    start += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return plain;
}

/** One line for each header, to show in what two archives differ. */
export function tarLines(tar: Buffer): string[] {
  const lines: string[] = [];
  for (let start = 0; start + BLOCK <= tar.length; ) {
    const header = tar.subarray(start, start + BLOCK);
    if (header.every((byte) => byte === 0)) return [...lines, `end: ${tar.length - start}`];
    const size = octal(header, 124, 12);
    const fields = [100, 108, 116].map((at) => text(header, at, 8));
    const content = tar.subarray(start + BLOCK, start + BLOCK + Math.min(size, 200)).toString('latin1');
    lines.push(
      [
        `${text(header, 345, 155)}|${text(header, 0, 100)}`,
        text(header, 156, 1),
        ...fields,
        size,
        text(header, 136, 12),
        text(header, 157, 100),
        `${text(header, 329, 8)}:${text(header, 337, 8)}`,
        content,
      ].join(' '),
    );
    start += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return lines;
}

function octal(header: Buffer, at: number, length: number): number {
  return Number.parseInt(text(header, at, length).trim() || '0', 8);
}

function putOctal(header: Buffer, at: number, length: number, value: number): void {
  header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}

function text(header: Buffer, at: number, length: number): string {
  return header
    .subarray(at, at + length)
    .toString('latin1')
    .replace(/\0.*$/s, '');
}

function seal(header: Buffer): void {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
