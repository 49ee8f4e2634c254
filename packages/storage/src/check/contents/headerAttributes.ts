import { TAR_TYPE, type TarHeader } from '@sediment/codec';
import { makedev } from '@sediment/posix';
import { directoryTimes, fileTimes, symlinkTimes } from '../../unpack/entryTimes.ts';
import type { EntryAttributes } from './expectedTree.ts';

const PERMISSIONS = 0o7777;
/** Some file systems cannot hold later times and store their latest one instead. */
const FIRST_DOUBTFUL_TIME = 2 ** 31;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * What an entry that is unpacked from this header looks like; undefined for types that are not unpacked.
 * A hard link is not an entry of its own.
 */
export function headerAttributes(header: TarHeader): EntryAttributes | undefined {
  const owner = { uid: header.uid, gid: header.gid };
  const plain = { ...owner, mode: header.mode & PERMISSIONS };
  switch (header.typeflag) {
    case TAR_TYPE.regular:
      return { type: 'file', ...plain, size: header.size, ...time(fileTimes(header).mtimeNs) };
    case TAR_TYPE.directory:
      return { type: 'directory', ...plain, ...time(directoryTimes(header).mtimeNs) };
    case TAR_TYPE.symlink:
      return {
        type: 'symlink',
        ...owner,
        target: header.linkname,
        ...time(symlinkTimes(header).mtimeNs),
      };
    case TAR_TYPE.charDevice:
    case TAR_TYPE.blockDevice:
      return {
        type: header.typeflag === TAR_TYPE.charDevice ? 'char' : 'block',
        ...plain,
        device: makedev(header.devmajor, header.devminor),
        ...time(fileTimes(header).mtimeNs),
      };
    case TAR_TYPE.fifo:
      return { type: 'fifo', ...plain, ...time(fileTimes(header).mtimeNs) };
    default:
      return undefined;
  }
}

/** What the header of a hard link changes in the file that it links to. */
export function linkAttributes(header: TarHeader, target: EntryAttributes): EntryAttributes {
  const owner = { uid: header.uid, gid: header.gid };
  if (target.type === 'symlink') return { ...target, ...owner };
  const { mtime: _, ...rest } = target;
  return { ...rest, ...owner, mode: header.mode & PERMISSIONS, ...time(fileTimes(header).mtimeNs) };
}

/** Whole seconds since 1970, rounded down as the kernel does. */
export function wholeSeconds(ns: bigint): number {
  const seconds = ns / NS_PER_SECOND;
  return Number(ns % NS_PER_SECOND < 0n ? seconds - 1n : seconds);
}

function time(ns: bigint | undefined): { readonly mtime?: number } {
  if (ns === undefined) return {};
  const mtime = wholeSeconds(ns);
  return mtime < 0 || mtime >= FIRST_DOUBTFUL_TIME ? {} : { mtime };
}
