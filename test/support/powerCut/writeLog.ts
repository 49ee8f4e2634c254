import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Kind (u32), length (u32), offset on the disk (u64); the bytes of a write follow. */
const HEADER = 16;
const [WRITE, FLUSH] = [1, 2];

/** What happened to a disk, in order. */
export type DiskEvent = { readonly end: number } & (
  | { readonly kind: 'flush' }
  | {
      readonly kind: 'write';
      /** On the disk, in bytes. */
      readonly offset: number;
      readonly length: number;
      /** Where the bytes lie in the log. */
      readonly at: number;
    }
);

export function writeRecordHeader(offset: number, length: number): Buffer {
  return header(WRITE, offset, length);
}

export function flushRecord(): Buffer {
  return header(FLUSH, 0, 0);
}

/** Reads the log of a disk; `end` of an event is the position in the log after it. */
export function readDiskEvents(path: string): DiskEvent[] {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const events: DiskEvent[] = [];
    const head = Buffer.alloc(HEADER);
    for (let position = 0; position < size; position = (events.at(-1) as DiskEvent).end) {
      readSync(fd, head, 0, HEADER, position);
      const length = head.readUInt32LE(4);
      const at = position + HEADER;
      const isWrite = head.readUInt32LE(0) === WRITE;
      const offset = Number(head.readBigUInt64LE(8));
      events.push(
        isWrite ? { kind: 'write', offset, length, at, end: at + length } : { kind: 'flush', end: at },
      );
    }
    return events;
  } finally {
    closeSync(fd);
  }
}

function header(kind: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER);
  bytes.writeUInt32LE(kind, 0);
  bytes.writeUInt32LE(length, 4);
  bytes.writeBigUInt64LE(BigInt(offset), 8);
  return bytes;
}
