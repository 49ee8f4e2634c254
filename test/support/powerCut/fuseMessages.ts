/** Numbers and layouts of the kernel's FUSE protocol (include/uapi/linux/fuse.h), as far as one file needs them. */
export const OPCODE = {
  lookup: 1,
  forget: 2,
  getAttributes: 3,
  setAttributes: 4,
  open: 14,
  read: 15,
  write: 16,
  statFileSystem: 17,
  release: 18,
  sync: 20,
  flush: 25,
  initialise: 26,
  openDirectory: 27,
  releaseDirectory: 29,
  forgetSeveral: 42,
} as const;

/** A write of the kernel is at most this long, in bytes. */
export const MAX_WRITE = 1 << 20;
export const ROOT_NODE = 1n;
export const FILE_NODE = 2n;

const REQUEST_HEADER = 40;
const REPLY_HEADER = 16;
const WRITE_HEADER = 40;
/** How long the kernel may believe what it was told, in seconds: nothing changes. */
const VALID = 3600n;
const [DIRECTORY_MODE, FILE_MODE] = [0o40755, 0o100600];
const MINOR_VERSION = 31;
const [FLAG_BIG_WRITES, FLAG_MAX_PAGES] = [1 << 5, 1 << 22];

export interface FuseRequest {
  readonly opcode: number;
  readonly id: bigint;
  readonly node: bigint;
  /** What follows the header; valid until the next request is read. */
  readonly body: Buffer;
}

export function parseRequest(message: Buffer): FuseRequest {
  return {
    opcode: message.readUInt32LE(4),
    id: message.readBigUInt64LE(8),
    node: message.readBigUInt64LE(16),
    body: message.subarray(REQUEST_HEADER),
  };
}

/** `offset` and `size` of a read or a write, and the bytes of a write. */
export function parseTransfer(body: Buffer): { offset: number; size: number; bytes: Buffer } {
  const size = body.readUInt32LE(16);
  const bytes = body.subarray(WRITE_HEADER, WRITE_HEADER + size);
  return { offset: Number(body.readBigUInt64LE(8)), size, bytes };
}

/** @param errno positive, or 0 for success */
export function replyTo({ id }: FuseRequest, body: Buffer = Buffer.alloc(0), errno = 0): Buffer {
  const header = Buffer.alloc(REPLY_HEADER);
  header.writeUInt32LE(REPLY_HEADER + body.length, 0);
  header.writeInt32LE(-errno, 4);
  header.writeBigUInt64LE(id, 8);
  return Buffer.concat([header, body]);
}

/** The answer to the first request: what we know and how long a write may be. */
export function initialiseBody(request: FuseRequest): Buffer {
  const body = Buffer.alloc(64);
  body.writeUInt32LE(7, 0);
  body.writeUInt32LE(MINOR_VERSION, 4);
  body.writeUInt32LE(request.body.readUInt32LE(8), 8); // read-ahead as the kernel proposes
  body.writeUInt32LE(FLAG_BIG_WRITES | FLAG_MAX_PAGES, 12);
  body.writeUInt16LE(16, 16);
  body.writeUInt16LE(12, 18);
  body.writeUInt32LE(MAX_WRITE, 20);
  body.writeUInt32LE(1, 24);
  body.writeUInt16LE(MAX_WRITE / 4096, 28);
  return body;
}

/** An entry of the directory: the answer to a look-up. */
export function entryBody(node: bigint, size: number): Buffer {
  const head = Buffer.alloc(40);
  head.writeBigUInt64LE(node, 0);
  head.writeBigUInt64LE(VALID, 16);
  head.writeBigUInt64LE(VALID, 24);
  return Buffer.concat([head, attributes(node, size)]);
}

export function attributesBody(node: bigint, size: number): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(VALID, 0);
  return Buffer.concat([head, attributes(node, size)]);
}

/** An open file or directory has no state. */
export function openBody(): Buffer {
  return Buffer.alloc(16);
}

export function writtenBody(size: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32LE(size, 0);
  return body;
}

export function fileSystemBody(): Buffer {
  const body = Buffer.alloc(80);
  body.writeUInt32LE(4096, 40);
  body.writeUInt32LE(255, 44);
  return body;
}

function attributes(node: bigint, size: number): Buffer {
  const isRoot = node === ROOT_NODE;
  const body = Buffer.alloc(88);
  body.writeBigUInt64LE(node, 0);
  body.writeBigUInt64LE(isRoot ? 0n : BigInt(size), 8);
  body.writeUInt32LE(isRoot ? DIRECTORY_MODE : FILE_MODE, 60);
  body.writeUInt32LE(1, 64);
  body.writeUInt32LE(4096, 80);
  return body;
}
