/** Type flags (POSIX `pax`, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"), as bytes. */
export const TAR_TYPE = {
  regularV7: 0x00,
  regular: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  charDevice: 0x33,
  blockDevice: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  gnuLongLink: 0x4b,
  gnuLongName: 0x4c,
  gnuSparse: 0x53,
  paxGlobal: 0x67,
  paxExtended: 0x78,
} as const;

export type TarFormat = 'v7' | 'ustar' | 'pax' | 'gnu' | 'star';

/** A part of a sparse file that has data in the archive; everything else is zeros. */
export interface SparseRange {
  readonly offset: number;
  readonly length: number;
}

export interface TarXattr {
  readonly name: Buffer;
  readonly value: Buffer;
}

/**
 * One entry, with PAX and GNU extensions already applied. Buffers are the receiver's to keep; texts
 * are bytes, because tar names have no encoding.
 */
export interface TarHeader {
  readonly name: Buffer;
  readonly linkname: Buffer;
  /** As in the archive, except that NUL (v7) has become `0`, or `5` when the name ends with a slash. */
  readonly typeflag: number;
  /** Low 16 bits of the mode field; some writers put file type bits there. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /**
   * Bytes that `data` will deliver. 0 for types that never have content, whatever the field says;
   * the real (expanded) size for sparse files.
   */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly atimeNs?: bigint | undefined;
  readonly ctimeNs?: bigint | undefined;
  readonly uname: Buffer;
  readonly gname: Buffer;
  readonly devmajor: number;
  readonly devminor: number;
  /** `SCHILY.xattr.*` records in order of appearance; a repeated name keeps its last value. */
  readonly xattrs: readonly TarXattr[];
  /** All records of the entry's extended header; keys are Latin-1 decoded bytes. */
  readonly paxRecords?: ReadonlyMap<string, Buffer> | undefined;
  /** Present on sparse files (PAX 0.0, 0.1, 1.0 and old GNU). */
  readonly sparse?: readonly SparseRange[] | undefined;
  readonly format: TarFormat;
  /** Offset of the header block in the stream. */
  readonly offset: number;
}

/** Whether entries of this type end with their header, so that a non-zero size field means nothing. */
export function isHeaderOnlyType(typeflag: number): boolean {
  return typeflag >= TAR_TYPE.hardlink && typeflag <= TAR_TYPE.fifo;
}
