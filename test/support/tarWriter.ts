/** One entry of a test archive. What is not said is as root would have made it, at a fixed time. */
export interface TarItem {
  name: string | Buffer;
  type?: keyof typeof TYPE_FLAGS;
  content?: Uint8Array | string;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Whole seconds; finer times go into `pax` as `mtime`. */
  mtime?: number;
  linkname?: string | Buffer;
  major?: number;
  minor?: number;
  /** Extended header records, such as `{ mtime: '1.5', 'SCHILY.xattr.user.a': 'b' }`. */
  pax?: Record<string, string | Uint8Array>;
}

const TYPE_FLAGS = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
  contiguous: '7',
  pax: 'x',
} as const;

const BLOCK = 512;

/** A whole tar archive: ustar headers, extended where an entry needs it, and two blocks of zeros. */
export function tarOf(items: TarItem[]): Buffer {
  return Buffer.concat([...items.flatMap(itemBlocks), Buffer.alloc(2 * BLOCK)]);
}

function itemBlocks(item: TarItem): Buffer[] {
  const content = Buffer.from(item.content ?? '');
  const pax: NonNullable<TarItem['pax']> = { ...item.pax };
  const name = Buffer.from(item.name);
  const linkname = Buffer.from(item.linkname ?? '');
  if (name.length > 100) pax.path ??= name;
  if (linkname.length > 100) pax.linkpath ??= linkname;
  const extended = Object.entries(pax).map(([key, value]) => paxRecord(key, Buffer.from(value)));
  const blocks: Buffer[] = [];
  if (extended.length > 0) {
    const payload = Buffer.concat(extended);
    blocks.push(
      header({ name: 'PaxHeaders.0/x', type: 'pax', mode: 0o644 }, payload.length),
      padded(payload),
    );
  }
  return [...blocks, header({ ...item, name: name.subarray(0, 100) }, content.length), padded(content)];
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(item: TarItem, size: number): Buffer {
  const type = item.type ?? 'file';
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, width: number): number =>
    block.write(value.toString(8).padStart(width - 1, '0'), offset, 'latin1');
  Buffer.from(item.name).copy(block, 0, 0, 100);
  octal(item.mode ?? (type === 'directory' ? 0o755 : 0o644), 100, 8);
  octal(item.uid ?? 0, 108, 8);
  octal(item.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(item.mtime ?? 1_600_000_000, 136, 12);
  block.write(TYPE_FLAGS[type], 156, 'latin1');
  Buffer.from(item.linkname ?? '').copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  octal(item.major ?? 0, 329, 8);
  octal(item.minor ?? 0, 337, 8);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}
