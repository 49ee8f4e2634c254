import type { TarHeader } from '@sediment/codec';
import { errnoCode, StorageError, type StorageErrorOptions, wrapSystemError } from '@sediment/core';
import { printableName } from './printableName.ts';

export interface EntryContext {
  /** Names the layer. */
  readonly what: string;
  /** The directory that is unpacked into. */
  readonly root: string;
  readonly header: Pick<TarHeader, 'name'>;
}

const MALFORMED = 'the layer is malformed; build it again';
const PRIVILEGE =
  'run as root or in a user namespace with enough ids, or set ignore_chown_errors for a store of one user';

const HINTS: Readonly<Record<string, string>> = {
  'EEXIST mknodat': 'the layer has an entry and a whiteout of one name; build it again',
  'EEXIST mkdirat': 'a parent directory of the entry is a symlink that leads nowhere',
  'ENOENT linkat': 'the target of a hard link must come before it in the same layer; build it again',
  'ENOENT utimensat': 'the layer deletes a directory that it has itself; build it again',
  'EPERM fchownat': PRIVILEGE,
  'EPERM fchown': PRIVILEGE,
  'EPERM mknodat': 'device nodes need root; the file system may also be mounted without them',
  'EPERM lsetxattr': 'user attributes exist on files and directories only, others need root',
  'EPERM fsetxattr': 'attributes of this kind need root',
  'EINVAL lsetxattr': 'the value of the attribute is not valid for its name',
  'EINVAL fsetxattr': 'the value of the attribute is not valid for its name',
};
const HINTS_BY_ERRNO: Readonly<Record<string, string>> = {
  ENOTDIR: 'a parent of the entry is no directory; build the layer again',
  ELOOP: 'a parent directory of the entry is a symlink that leads back to itself',
  EMFILE: 'raise the limit of open files with "ulimit -n"',
  ENFILE: 'the system has too many open files: end some programs',
  ENAMETOOLONG: 'this file system cannot hold names or paths of that length',
};
/** Errors that are about the store and not about the entry keep codes of their own. */
const ABOUT_THE_STORE = ['ENOSPC', 'EDQUOT', 'EROFS'];

/**
 * Says which entry of which layer could not be unpacked, and why. Errors that are no system errors and
 * no {@link StorageError} (defects) are returned as they are.
 */
export function unpackError(error: unknown, { what, root, header }: EntryContext): unknown {
  const name = printableName(header.name);
  const path = `${root}/${name}`;
  if (error instanceof StorageError) {
    if (error.code === 'ABORTED') return error;
    const hint = error.hint ?? MALFORMED;
    const facts = { object: what, path, ...error.facts, hint, cause: error.cause };
    return new StorageError(error.code, `${what}: entry "${name}": ${error.message}`, facts);
  }
  const errno = errnoCode(error);
  if (errno === undefined) return error;
  const doing = `${what}: cannot unpack "${name}" into ${root}`;
  if (ABOUT_THE_STORE.includes(errno))
    return wrapSystemError(error, doing, 'UNPACK_FAILED', { object: what, path });
  return failed(error as NodeJS.ErrnoException, doing, {
    object: what,
    path,
    errnoCode: errno,
  });
}

function failed(error: NodeJS.ErrnoException, doing: string, facts: StorageErrorOptions): StorageError {
  const { errno, syscall, message } = error;
  const hint = HINTS[`${facts.errnoCode} ${syscall}`] ?? HINTS_BY_ERRNO[facts.errnoCode ?? ''];
  return new StorageError('UNPACK_FAILED', `${doing}: ${message}`, {
    ...facts,
    ...(errno === undefined ? {} : { errno: Math.abs(errno) }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
