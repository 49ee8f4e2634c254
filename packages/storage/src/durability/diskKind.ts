import { existsSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { major, minor } from '@sediment/posix';

/**
 * How a file system gets to its medium. `memory`: it has none. `journal`: whatever was changed before, in any file or
 * directory, is on the medium when an fsync of a file that was changed later has returned; content of files
 * aside, which must have been written. `other`: only a sync of the whole file system says anything of all files.
 */
export type DiskKind = 'memory' | 'journal' | 'other';

const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;
/** ext2, ext3 and ext4 share one number; not all of them have a journal. */
const EXT = 0xef53;
const XFS = 0x58465342;

/** @throws the system error, such as `ENOENT` */
export function diskKindOf(path: string): DiskKind {
  switch (statfsSync(path).type >>> 0) {
    case TMPFS:
    case RAMFS:
      return 'memory';
    case XFS:
      return 'journal';
    case EXT:
      return hasJournal(statSync(path).dev) ? 'journal' : 'other';
    default:
      return 'other';
  }
}

/** What the kernel says of an ext4 file system; where /sys is not there to be asked, the careful answer. */
function hasJournal(device: number): boolean {
  const link = `/sys/dev/block/${major(device)}:${minor(device)}`;
  try {
    return existsSync(`/sys/fs/ext4/${basename(readlinkSync(link))}/journal_task`);
  } catch {
    return false;
  }
}
