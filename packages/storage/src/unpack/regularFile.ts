import type { TarHeader } from '@sediment/codec';
import {
  close,
  fchmod,
  futimens,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  openat,
  write,
} from '@sediment/posix';
import type { EntryMetadata } from './entryMetadata.ts';
import { fileTimes } from './entryTimes.ts';
import { beginWritten, closeWritten } from './fileWriteback.ts';
import type { OpenDirectory } from './openDirectory.ts';

const FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
const PRIVATE = 0o600;
const PERMISSIONS = 0o7777;
const SPECIAL_BITS = 0o7000;
const BEGIN_BYTES = 8 * 1024 * 1024;

export interface NewFile {
  readonly directory: OpenDirectory;
  readonly base: Buffer;
  readonly header: TarHeader;
}

/**
 * A regular file of a layer while it is written. Most files need four calls (open, write, times,
 * close), since they can be made with their final mode and owner.
 */
export class RegularFile {
  /** That holds the file. */
  readonly directory: OpenDirectory;
  readonly #header: TarHeader;
  readonly #metadata: EntryMetadata;
  readonly #fd: number;
  readonly #bornRight: boolean;
  bytesWritten = 0;
  /** How much of it is on its way to the disk. */
  #begun = 0;

  /**
   * Makes the file; EEXIST when there is any of that name, be it a dangling symlink.
   *
   * @param umaskIsZero whether a mode given to open(2) is the mode that the file gets
   */
  constructor({ directory, base, header }: NewFile, metadata: EntryMetadata, umaskIsZero: boolean) {
    this.directory = directory;
    this.#header = header;
    this.#metadata = metadata;
    this.#bornRight =
      umaskIsZero &&
      (header.mode & SPECIAL_BITS) === 0 &&
      metadata.isBornRight(directory, header.uid, header.gid);
    this.#fd = openat(directory.fd, base, FLAGS, this.#bornRight ? header.mode & PERMISSIONS : PRIVATE);
  }

  write(bytes: Uint8Array): void {
    write(this.#fd, bytes);
    this.bytesWritten += bytes.length;
    if (this.bytesWritten - this.#begun < BEGIN_BYTES) return;
    beginWritten(this.#fd, this.#begun, this.bytesWritten - this.#begun);
    this.#begun = this.bytesWritten;
  }

  /**
   * The descriptor, when content and times are all that the file still needs; whoever gets it closes it. Undefined for
   * a file whose metadata must be set behind its content, as writing clears set-user-ID and capabilities.
   */
  descriptorForContent(): number | undefined {
    const { mode, xattrs } = this.#header;
    if ((mode & SPECIAL_BITS) !== 0 || xattrs.length > 0) return undefined;
    this.#setOwnerAndMode();
    return this.#fd;
  }

  /** Sets the metadata and closes the file. Changing the owner clears set-user-ID, hence the order. */
  finish(): void {
    try {
      this.#setOwnerAndMode();
      futimens(this.#fd, fileTimes(this.#header));
      this.#metadata.setFileXattrs(this.#fd, this.#header);
    } finally {
      closeWritten(this.#fd, this.bytesWritten);
    }
  }

  #setOwnerAndMode(): void {
    if (this.#bornRight) return;
    this.#metadata.chownNewFile(this.#fd, this.#header);
    fchmod(this.#fd, this.#header.mode & PERMISSIONS);
  }

  /** Closes the file as it is. */
  abandon(): void {
    close(this.#fd);
  }
}
