import { TAR_TYPE, type TarHeader } from '@sediment/codec';
import { StorageError } from '@sediment/core';
import { utimensat } from '@sediment/posix';
import type { UnpackPolicy } from '../drivers/unpackPolicy.ts';
import { IdMappings } from '../idmaps/idMappings.ts';
import type { IdMap } from '../records/idMap.ts';
import { inUserNamespace } from '../userns/inUserNamespace.ts';
import { AppliedWhiteouts } from './appliedWhiteouts.ts';
import { withDescriptorRoom } from './descriptorRoom.ts';
import { DirectoryTimes } from './directoryTimes.ts';
import { EntryMaker } from './entryMaker.ts';
import { type EntryPath, splitEntryPath } from './entryPath.ts';
import { flushWritten } from './fileWriteback.ts';
import type { OpenDirectory } from './openDirectory.ts';
import { OverlayWhiteouts } from './overlayWhiteouts.ts';
import { RegularFile } from './regularFile.ts';
import type { DirectoryOpener } from './resolveInRoot.ts';
import type { FileHandover } from './split/fileHandover.ts';
import { Tree } from './tree.ts';
import { unpackError } from './unpackError.ts';
import type { WarningTally } from './warningTally.ts';
import type { Outcome, WhiteoutRules } from './whiteoutRules.ts';

export interface ExtractorOptions {
  /** An existing directory; nothing outside of it is ever touched. */
  readonly root: string;
  readonly policy: UnpackPolicy;
  /** Owners in the tar are ids of a container with these maps; none if absent. */
  readonly uidMap?: readonly IdMap[];
  readonly gidMap?: readonly IdMap[];
  /** Names the layer, for messages. */
  readonly what: string;
  readonly warnings: WarningTally;
  /** Called for each entry; may throw, to stop. */
  readonly checkpoint?: () => void;
  /** Whether the umask of this thread is 0; if not, each mode is set once more. */
  readonly umaskIsZero?: boolean;
  /** Default: found out. Then devices and forbidden attributes are left out, with a warning. */
  readonly inUserNamespace?: boolean;
  /** Default: the best one of this host. */
  readonly opener?: DirectoryOpener;
  /** Takes small files off this thread, with their content. */
  readonly handover?: FileHandover | undefined;
}

/**
 * Unpacks the entries of one layer tar into a directory, synchronously; a sink for what `TarReader`
 * finds. Paths are resolved inside the directory by the kernel, whatever symlinks and `..` they hold.
 * After an error the tree is incomplete, and only {@link close} may be called.
 *
 * @throws {StorageError} `UNPACK_FAILED`, `UNPACK_UNSAFE`, `TAR_ENTRY_UNSUPPORTED`, `ID_UNMAPPED`,
 *   `NO_SPACE`, `STORE_READ_ONLY`, naming the layer and the entry
 */
export class Extractor {
  readonly #options: ExtractorOptions;
  readonly #checkpoint: () => void;
  readonly #tree: Tree;
  readonly #rules: WhiteoutRules;
  readonly #maker: EntryMaker;
  readonly #idMaps: IdMappings;
  readonly #directories = new DirectoryTimes();
  #current: TarHeader | undefined;
  #file: RegularFile | undefined;
  /** All content of a file that may be handed over. */
  #whole: Uint8Array | undefined;
  #bytesWritten = 0;
  #closed = false;

  constructor(options: ExtractorOptions) {
    const { root, policy, warnings, checkpoint = () => undefined, umaskIsZero = false } = options;
    this.#options = options;
    this.#checkpoint = checkpoint;
    this.#idMaps = new IdMappings(options.uidMap, options.gidMap);
    this.#tree = new Tree({
      root,
      policy,
      rootOwner: this.#idMaps.rootPair(),
      warnings,
      checkpoint,
      umaskIsZero,
      inUserNamespace: options.inUserNamespace ?? inUserNamespace(),
      ...(options.opener === undefined ? {} : { opener: options.opener }),
    });
    this.#rules =
      policy.whiteouts === 'overlay' ? new OverlayWhiteouts(this.#tree) : new AppliedWhiteouts(this.#tree);
    this.#maker = new EntryMaker(this.#tree, this.#rules);
  }

  /** Bytes of file content written so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  entry(header: TarHeader): void {
    this.#checkpoint();
    this.#current = header;
    try {
      const owned = this.#withHostOwner(header);
      const outcome = withDescriptorRoom(() => this.#make(owned), this.#makeRoom);
      this.#file = outcome === 'done' ? undefined : outcome;
    } catch (error) {
      throw this.#named(error, header);
    }
  }

  data(bytes: Uint8Array): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#bytesWritten += bytes.length;
    if (bytes.length === this.#current?.size && this.#options.handover?.holds(bytes) === true) {
      this.#whole = bytes;
      return;
    }
    try {
      file.write(bytes);
    } catch (error) {
      throw this.#named(error, this.#current);
    }
  }

  entryEnd(): void {
    const file = this.#file;
    if (file === undefined) return;
    const whole = this.#whole;
    this.#whole = undefined;
    if (this.#handOver(file, whole)) return;
    try {
      if (whole !== undefined) file.write(whole);
      this.#file = undefined;
      file.finish();
    } catch (error) {
      throw this.#named(error, this.#current);
    }
  }

  /** Call once after the last entry. Sets the times of directories, which unpacking into them has changed. */
  finish(): void {
    this.#settle();
    withDescriptorRoom(() => this.#rules.finish(), this.#makeRoom);
    this.#directories.forEach((name, times) => {
      this.#checkpoint();
      try {
        const path = splitEntryPath(name);
        const directory = withDescriptorRoom(() => this.#tree.parentOf(path), this.#makeRoom);
        utimensat(directory.fd, path.base, times);
      } catch (error) {
        throw this.#named(error, { name });
      }
    });
  }

  /** Closes all descriptors, after success or failure. May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file?.abandon();
    this.#file = undefined;
    this.#options.handover?.abandon();
    this.#rules.close();
    this.#tree.close();
  }

  /** Leaves a file that lacks only content and times to whichever thread has time. */
  #handOver(file: RegularFile, content: Uint8Array | undefined): boolean {
    const { handover } = this.#options;
    const header = this.#current;
    if (handover === undefined || header === undefined) return false;
    if (content === undefined && header.size > 0) return false;
    let fd: number | undefined;
    try {
      fd = file.descriptorForContent();
    } catch (error) {
      throw this.#named(error, header);
    }
    if (fd === undefined || !handover.take(fd, header, content, this.#explain)) return false;
    this.#file = undefined;
    return true;
  }

  /** Waits for files that were handed over. */
  #settle(): void {
    this.#options.handover?.settle(this.#explain, this.#checkpoint);
  }

  /** Closes all that this thread can do without. Entries that were made in part are made again after it. */
  readonly #makeRoom = (): void => {
    this.#checkpoint();
    this.#options.handover?.makeRoom(this.#explain, this.#checkpoint);
    flushWritten();
    this.#tree.forgetDirectories();
  };

  readonly #explain = (error: unknown, header: TarHeader): unknown => this.#named(error, header);

  #withHostOwner(header: TarHeader): TarHeader {
    if (this.#idMaps.isEmpty || header.typeflag === TAR_TYPE.paxGlobal) return header;
    return { ...header, ...this.#idMaps.toHost(header) };
  }

  #make(header: TarHeader): Outcome {
    // A global PAX header is recorded in the tar-split but makes no file.
    if (header.typeflag === TAR_TYPE.paxGlobal) return 'done';
    const path = splitEntryPath(header.name);
    if (path.isRoot) return this.#makeRoot(header, path);
    // It sets metadata of the file that it links to, or copies that.
    if (header.typeflag === TAR_TYPE.hardlink) this.#settle();
    const intercepted = this.#rules.intercept(header, path);
    if (intercepted !== undefined) return intercepted;
    if (header.typeflag === TAR_TYPE.regular) return this.#makeRegular(header, path);
    this.#rules.made(this.#makeOther(header, path), path);
    return 'done';
  }

  /**
   * `./` sets the root's metadata only if the policy says so; other spellings (`/`, `..`) always do,
   * since containers/storage compares the text (`pkg/archive` `Unpack`).
   */
  #makeRoot(header: TarHeader, path: EntryPath): Outcome {
    if (!this.#options.policy.applyRootEntry && path.clean.equals(path.base)) return 'done';
    if (header.typeflag !== TAR_TYPE.directory) {
      throw new StorageError('UNPACK_UNSAFE', 'an entry that is no directory would replace the whole tree');
    }
    this.#makeOther(header, path);
    return 'done';
  }

  #makeRegular(header: TarHeader, path: EntryPath): RegularFile {
    const { metadata, umaskIsZero } = this.#tree;
    this.#file = this.#tree.place(
      path,
      (directory) => new RegularFile({ directory, base: path.base, header }, metadata, umaskIsZero),
    );
    this.#rules.made(this.#file.directory, path);
    return this.#file;
  }

  #makeOther(header: TarHeader, path: EntryPath): OpenDirectory {
    switch (header.typeflag) {
      case TAR_TYPE.directory:
        this.#directories.add(header);
        return this.#maker.directory(header, path);
      case TAR_TYPE.hardlink:
        return this.#maker.hardlink(header, path);
      case TAR_TYPE.symlink:
        return this.#maker.symlink(header, path);
      case TAR_TYPE.charDevice:
      case TAR_TYPE.blockDevice:
        return this.#maker.device(header, path);
      case TAR_TYPE.fifo:
        return this.#maker.fifo(header, path);
      default:
        throw new StorageError('TAR_ENTRY_UNSUPPORTED', `unhandled tar header type ${header.typeflag}`);
    }
  }

  #named(error: unknown, header: Pick<TarHeader, 'name'> | undefined): unknown {
    const { what, root } = this.#options;
    return header === undefined ? error : unpackError(error, { what, root, header });
  }
}
