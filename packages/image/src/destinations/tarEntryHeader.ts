/**
 * Header blocks of outer archives: owner 0:0, no names of owners, time 0, so that an archive depends on its
 * content alone. They are those of Go's `archive/tar`, byte for byte, as containers/image writes them; the
 * numbers of node-tar are formatted otherwise.
 */
import { encodeTarHeader, TAR_TYPE } from '@sediment/codec';
import { Header } from 'tar/header';

export interface TarEntryInput {
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  /** Content of a file; absent for a directory and a link. */
  readonly bytes?: Uint8Array;
  /** Target of a symbolic link. */
  readonly linkname?: string;
}

/** What the size field of a header holds in octal digits. */
const OCTAL_LIMIT = 0o77777777777;

/** @param size of the content in bytes */
export function tarHeader(entry: Omit<TarEntryInput, 'bytes'> & { readonly size: number }): Buffer {
  const { name, mode, size, linkname } = entry;
  return encodeTarHeader({
    name: Buffer.from(name),
    typeflag: typeOf(entry),
    ...(linkname === undefined ? {} : { linkname: Buffer.from(linkname) }),
    mode,
    uid: 0,
    gid: 0,
    size,
    mtime: 0,
  });
}

/** A directory is told by the slash at the end of its name. */
function typeOf({ name, linkname }: Pick<TarEntryInput, 'name' | 'linkname'>): number {
  if (linkname !== undefined) return TAR_TYPE.symlink;
  return name.endsWith('/') ? TAR_TYPE.directory : TAR_TYPE.regular;
}

/**
 * A header that fits where one block was reserved. There is no room for an extended header, so a size of
 * more than 8 GiB is written in base 256, which all readers of tar know.
 */
export function oneBlockHeader(name: string, mode: number, size: number): Buffer {
  if (size <= OCTAL_LIMIT) return tarHeader({ name, mode, size });
  const header = new Header({ path: name, mode, uid: 0, gid: 0, size, mtime: new Date(0), type: 'File' });
  header.encode();
  return header.block as Buffer;
}
