/** Builds tar streams block by block, odd and hostile ones too. */

export type EntryType = 'file' | 'link' | 'symlink' | 'char' | 'block' | 'dir' | 'fifo' | 'global';

const TYPE_FLAGS: Readonly<Record<EntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
  global: 'g',
};

export interface EntrySpec {
  name: string | Buffer;
  /** Default: `dir` for names that end with a slash, else `file`. */
  type?: EntryType;
  /** The type flag itself, for types that no layer should have. */
  flag?: string;
  data?: string | Buffer;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds; fractions go into `pax`. */
  mtime?: number;
  link?: string | Buffer;
  major?: number;
  minor?: number;
  /** Records of an extended header in front of the entry. */
  pax?: Record<string, string | Buffer>;
}

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

/** A whole tar with its two end blocks, or with `tail` instead. */
export function buildTar(entries: readonly EntrySpec[], tail: Buffer = END): Buffer {
  return Buffer.concat([...entries.map(buildEntry), tail]);
}

/** One entry: extended headers as needed, header block, padded content. */
export function buildEntry(spec: EntrySpec): Buffer {
  const name = bytes(spec.name);
  const link = bytes(spec.link ?? '');
  const parts: Buffer[] = [];
  if (spec.type === 'global') {
    const records = paxRecords(spec.pax ?? {});
    return Buffer.concat([headerBlock({ ...spec, data: records }, name, link), padded(records)]);
  }
  if (name.length > 100) parts.push(gnuLong('L', name));
  if (link.length > 100) parts.push(gnuLong('K', link));
  if (spec.pax !== undefined) {
    const records = paxRecords(spec.pax);
    const header = { name: 'PaxHeaders/x', flag: 'x', data: records };
    parts.push(headerBlock(header, bytes(header.name), Buffer.alloc(0)), padded(records));
  }
  parts.push(headerBlock(spec, name.subarray(0, 100), link.subarray(0, 100)));
  parts.push(padded(bytes(spec.data ?? '')));
  return Buffer.concat(parts);
}

function gnuLong(flag: string, value: Buffer): Buffer {
  const data = Buffer.concat([value, Buffer.alloc(1)]);
  const header = { name: '././@LongLink', flag, data };
  return Buffer.concat([headerBlock(header, bytes(header.name), Buffer.alloc(0)), padded(data)]);
}

function headerBlock(spec: EntrySpec, name: Buffer, link: Buffer): Buffer {
  const { mode = 0o644, uid = 0, gid = 0, mtime = 1_000_000_000, major = 0, minor = 0 } = spec;
  const type = spec.type ?? (bytes(spec.name).at(-1) === 0x2f ? 'dir' : 'file');
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0);
  octal(block, 100, 8, spec.mode === undefined && type === 'dir' ? 0o755 : mode);
  octal(block, 108, 8, uid);
  octal(block, 116, 8, gid);
  octal(block, 124, 12, bytes(spec.data ?? '').length);
  octal(block, 136, 12, mtime);
  block.write(spec.flag ?? TYPE_FLAGS[type], 156, 'latin1');
  link.copy(block, 157);
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, 329, 8, major);
  octal(block, 337, 8, minor);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Octal where it fits, base-256 where not or where the number is negative. */
function octal(block: Buffer, offset: number, width: number, value: number): void {
  const text = value.toString(8);
  if (value >= 0 && text.length < width) {
    block.write(text.padStart(width - 1, '0'), offset, 'latin1');
    return;
  }
  let rest = BigInt.asUintN(8 * width, BigInt(value));
  for (let i = width - 1; i >= 0; i--, rest >>= 8n) block[offset + i] = Number(rest & 0xffn);
  block[offset] = (block[offset] as number) | 0x80;
}

function paxRecords(records: Record<string, string | Buffer>): Buffer {
  return Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(bytes(key), bytes(value))));
}

function paxRecord(key: Buffer, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(' '), key, Buffer.from('='), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}

function bytes(value: string | Buffer): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
