/** Builds tar bytes block by block, malformed ones too, so that tests show exactly what is parsed. */

export interface HeaderSpec {
  name?: string | Buffer;
  mode?: string;
  uid?: string | Buffer;
  gid?: string | Buffer;
  size?: number | string | Buffer;
  mtime?: string | Buffer;
  type?: string;
  linkname?: string;
  /** Bytes 257–264; default `ustar\0` + `00`. */
  magic?: string;
  uname?: string;
  gname?: string;
  devmajor?: string;
  devminor?: string;
  prefix?: string | Buffer;
  /** Further bytes, put in before the checksum is made. */
  patch?: Record<number, string | Buffer>;
  /** Overrides the checksum field. */
  checksum?: string | 'signed';
}

export const GNU = 'ustar  \0';
export const USTAR = 'ustar\x0000';
export const V7 = '\0\0\0\0\0\0\0\0';
export const END = Buffer.alloc(1024);

function put(block: Buffer, at: number, value: string | Buffer | undefined): void {
  if (value !== undefined) (Buffer.isBuffer(value) ? value : Buffer.from(value, 'latin1')).copy(block, at);
}

export function header(spec: HeaderSpec = {}): Buffer {
  const block = Buffer.alloc(512);
  const size = spec.size ?? 0;
  put(block, 0, spec.name ?? 'file');
  put(block, 100, spec.mode ?? '0000644\0');
  put(block, 108, spec.uid ?? '0000000\0');
  put(block, 116, spec.gid ?? '0000000\0');
  put(block, 124, typeof size === 'number' ? `${size.toString(8).padStart(11, '0')}\0` : size);
  put(block, 136, spec.mtime ?? '00000000000\0');
  put(block, 156, spec.type ?? '0');
  put(block, 157, spec.linkname);
  put(block, 257, spec.magic ?? USTAR);
  put(block, 265, spec.uname);
  put(block, 297, spec.gname);
  put(block, 329, spec.devmajor);
  put(block, 337, spec.devminor);
  put(block, 345, spec.prefix);
  for (const [at, value] of Object.entries(spec.patch ?? {})) put(block, Number(at), value);
  put(block, 148, '        ');
  const sum = spec.checksum === 'signed' ? signedSum(block) : block.reduce((a, b) => a + b, 0);
  const text = `${sum.toString(8).padStart(6, '0')}\0 `;
  put(block, 148, spec.checksum === undefined || spec.checksum === 'signed' ? text : spec.checksum);
  return block;
}

function signedSum(block: Buffer): number {
  return new Int8Array(block.buffer, block.byteOffset, block.length).reduce((a, b) => a + b, 0);
}

export function padded(content: string | Buffer): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content, 'latin1');
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A header with its content and padding. */
export function entry(spec: HeaderSpec, content: string | Buffer = ''): Buffer {
  return Buffer.concat([header({ size: content.length, ...spec }), padded(content)]);
}

export function paxRecord(key: string | Buffer, value: string | Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from(' '),
    Buffer.from(key as string),
    Buffer.from('='),
    Buffer.from(value as string),
    Buffer.from('\n'),
  ]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/** An extended header (`x`), or a global one (`g`). */
export function pax(records: [string | Buffer, string | Buffer][], type = 'x'): Buffer {
  const payload = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  return entry({ name: 'PaxHeaders/file', type }, payload);
}

/** A base-256 field. */
export function base256(value: bigint, length: number): Buffer {
  const field = Buffer.alloc(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    field[i] = Number(BigInt.asUintN(8, rest));
    rest >>= 8n;
  }
  field[0] = value < 0n ? 0xff : (field[0] as number) | 0x80;
  return field;
}
