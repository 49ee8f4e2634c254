import { readdirSync } from 'node:fs';
import { StorageError } from '@sediment/core';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  fchmodat,
  fchownat,
  fstatat,
  lgetxattr,
  lsetxattr,
  type PosixStat,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_ISGID,
  S_ISUID,
  unlinkat,
  utimensat,
} from '@sediment/posix';
import type { IdMappings, Owner } from '../idmaps/idMappings.ts';
import { joinBytes, withShortPath } from '../staging/shortPath.ts';
import { HardLinks } from './hardLinks.ts';

const CAPABILITIES = 'security.capability';
const MODE_BITS = 0o7777;

/**
 * Gives all files of a tree the owners they have under other id maps: by `from` to the ids of the
 * container, by `to` to those of the host. Set-id bits and capabilities, which a change of owner clears,
 * are set again, times stay, and names of one file stay names of one file, also on an overlay mount, which
 * would copy it for each name.
 *
 * What belongs to root although `from` has no such id was made for root of the container. An id that `to`
 * does not have becomes nobody's. (containers/storage: `drivers.ChownPathByMaps`.)
 *
 * @throws {StorageError} `ID_UNMAPPED` for another owner that `from` does not have
 */
export function chownTree(root: string, from: IdMappings, to: IdMappings): void {
  new TreeChowner(from, to).run(Buffer.from(root));
}

class TreeChowner {
  readonly #from: IdMappings;
  readonly #to: IdMappings;
  readonly #links = new HardLinks();
  /** New owners of files with several names, by device and inode before the change. */
  readonly #changed = new Map<string, Owner>();

  constructor(from: IdMappings, to: IdMappings) {
    this.#from = from;
    this.#to = to;
  }

  run(root: Buffer): void {
    try {
      this.#changeDirectory(root, fstatat(AT_FDCWD, root));
    } finally {
      this.#links.close();
    }
  }

  #changeDirectory(path: Buffer, stat: PosixStat): void {
    const relinked = withShortPath(path, (directory) =>
      readdirSync(directory, { encoding: 'buffer' }).filter((name) =>
        this.#changeEntry(joinBytes(directory, name)),
      ),
    );
    this.#chown(path, stat, this.#ownerOf(path, stat));
    if (relinked.length === 0) return;
    utimensat(AT_FDCWD, path, { atimeNs: stat.atimeNs, mtimeNs: stat.mtimeNs }, AT_SYMLINK_NOFOLLOW);
  }

  /** @returns whether the name was made anew */
  #changeEntry(path: Buffer): boolean {
    const stat = fstatat(AT_FDCWD, path);
    if ((stat.mode & S_IFMT) === S_IFDIR) {
      this.#changeDirectory(path, stat);
      return false;
    }
    const done = stat.nlink > 1 ? this.#changed.get(keyOf(stat)) : undefined;
    if (done !== undefined) return this.#relink(path, stat, done);
    const owner = this.#ownerOf(path, stat);
    if (isOwner(stat, owner)) return false;
    this.#chown(path, stat, owner);
    if (stat.nlink > 1) {
      this.#changed.set(keyOf(stat), owner);
      this.#links.remember(stat, path);
    }
    return false;
  }

  /** On a plain file system the other names lead to the file that was changed; overlay parted them. */
  #relink(path: Buffer, stat: PosixStat, owner: Owner): boolean {
    if (isOwner(stat, owner)) return false;
    unlinkat(AT_FDCWD, path);
    this.#links.linkToFirst(stat, path);
    return true;
  }

  #ownerOf(path: Buffer, { uid, gid }: PosixStat): Owner {
    const inside = this.#from.findContainer({ uid, gid });
    if (inside !== undefined) return this.#to.toHostOrNobody(inside);
    if (uid === 0 && gid === 0) return this.#to.toHostOrNobody({ uid, gid });
    throw new StorageError(
      'ID_UNMAPPED',
      `mapping host ID pair ${uid}:${gid} for ${JSON.stringify(path.toString())} to container: the ids of the layer have no such owner`,
      {
        path: path.toString(),
        actual: `${uid}:${gid}`,
        hint: 'give the layer maps that have all its owners',
      },
    );
  }

  #chown(path: Buffer, stat: PosixStat, owner: Owner): void {
    if (isOwner(stat, owner)) return;
    const type = stat.mode & S_IFMT;
    const capabilities = type === S_IFREG ? lgetxattr(path, CAPABILITIES) : undefined;
    fchownat(AT_FDCWD, path, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW);
    if (type !== S_IFLNK && (stat.mode & (S_ISUID | S_ISGID)) !== 0) {
      fchmodat(AT_FDCWD, path, stat.mode & MODE_BITS);
    }
    if (capabilities !== undefined) lsetxattr(path, CAPABILITIES, capabilities);
  }
}

function isOwner({ uid, gid }: PosixStat, owner: Owner): boolean {
  return uid === owner.uid && gid === owner.gid;
}

function keyOf({ dev, ino }: PosixStat): string {
  return `${dev}:${ino}`;
}
