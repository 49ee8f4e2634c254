import { crc32 } from 'node:zlib';
import { digestHex, newHasher } from '@sediment/core';
import { Crc64 } from '../crc64/crc64.ts';
import { createPortableCrc64 } from '../crc64/crc64Portable.ts';
import { CRC64_ECMA } from '../crc64/crc64Tables.ts';

/** The integrity check of a block (".xz File Format" §2.1.1.2). */
export interface XzCheck {
  readonly size: number;
  update(bytes: Uint8Array): void;
  /** The value as it stands in the file. */
  value(): Buffer;
}

/** The check of a type, new for each block; undefined for types that are not defined. */
export function newXzCheck(type: number): XzCheck | undefined {
  switch (type) {
    case 0:
      return { size: 0, update: () => undefined, value: () => Buffer.alloc(0) };
    case 1:
      return crc32Check();
    case 4:
      return crc64Check();
    case 10:
      return sha256Check();
    default:
      return undefined;
  }
}

function crc32Check(): XzCheck {
  let crc = 0;
  return {
    size: 4,
    update(bytes) {
      crc = crc32(bytes, crc);
    },
    value() {
      const out = Buffer.alloc(4);
      out.writeUInt32LE(crc);
      return out;
    },
  };
}

const ecma = createPortableCrc64(CRC64_ECMA);

function crc64Check(): XzCheck {
  const crc = new Crc64(ecma);
  return { size: 8, update: (bytes) => crc.update(bytes), value: () => crc.digest().reverse() };
}

function sha256Check(): XzCheck {
  const hasher = newHasher('sha256');
  return {
    size: 32,
    update: (bytes) => hasher.update(bytes),
    value: () => Buffer.from(digestHex(hasher.digest()), 'hex'),
  };
}
