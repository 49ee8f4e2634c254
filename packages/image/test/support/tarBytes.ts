/** Writes outer archives block by block, without the library that reads them. */

export interface TarInput {
  readonly path: string;
  readonly data?: string | Uint8Array;
  /** Type flag; default `0`, a regular file. */
  readonly type?: string;
  readonly linkpath?: string;
  /** How a long name or a large size is written; default `pax`. */
  readonly form?: 'pax' | 'gnu';
  /** PAX records to write in front of the entry. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Overrides the size field of the header. */
  readonly size?: number;
}

const BLOCK = 512;

/** A whole archive with its two end blocks. */
export function tarBytes(entries: readonly TarInput[]): Buffer {
  return Buffer.concat([...entries.map(entryBytes), Buffer.alloc(2 * BLOCK)]);
}

/** Header(s), data and padding of one entry. */
export function entryBytes(entry: TarInput): Buffer {
  const { path, data = '', type = '0', linkpath = '', form = 'pax' } = entry;
  const body = Buffer.from(data as string);
  const size = entry.size ?? body.length;
  const blocks: Buffer[] = [];
  const records: Record<string, string> = { ...entry.pax };
  const isLong = (name: string) => Buffer.byteLength(name) > 100;
  if (form === 'gnu') {
    if (isLong(linkpath)) blocks.push(longName('K', linkpath));
    if (isLong(path)) blocks.push(longName('L', path));
  } else {
    if (isLong(path)) records.path = path;
    if (isLong(linkpath)) records.linkpath = linkpath;
  }
  if (Object.keys(records).length > 0) blocks.push(paxHeader(records));
  blocks.push(headerBlock({ path, type, linkpath, size }), padded(body));
  return Buffer.concat(blocks);
}

export function headerBlock(header: { path: string; type: string; linkpath?: string; size: number }): Buffer {
  const block = Buffer.alloc(BLOCK);
  Buffer.from(header.path).copy(block, 0, 0, 100);
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  writeSize(block, header.size);
  block.write('00000000000\0', 136);
  block.write(header.type, 156);
  Buffer.from(header.linkpath ?? '').copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257);
  return withChecksum(block);
}

export function withChecksum(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Octal up to 8 GiB, base 256 above. */
function writeSize(block: Buffer, size: number): void {
  if (size <= 0o77777777777) {
    block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    return;
  }
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}

export function paxHeader(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  const body = Buffer.from(
    Object.entries(records)
      .map(([key, value]) => paxRecord(key, value))
      .join(''),
  );
  return Buffer.concat([headerBlock({ path: 'PaxHeaders/x', type, size: body.length }), padded(body)]);
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) {
    length = String(length).length + Buffer.byteLength(rest);
  }
  return `${length}${rest}`;
}

function longName(type: 'K' | 'L', name: string): Buffer {
  const body = Buffer.from(`${name}\0`);
  return Buffer.concat([headerBlock({ path: '././@LongLink', type, size: body.length }), padded(body)]);
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}
