import { accessSync, constants, existsSync } from 'node:fs';
import { errnoCode, StorageError, type WarningHandler } from '@sediment/core';
import { capabilities } from '@sediment/posix';
import type { StorageConf } from '../conf/index.ts';
import type { LockBackendName } from '../locks/index.ts';
import type { AccessMode } from './storeContext.ts';

export interface ChosenAccess {
  readonly mode: AccessMode;
  readonly lockBackend: LockBackendName;
  /** Makes the error for a write to a store that was opened as a snapshot. */
  readonly refuseWrite: ((path: string) => StorageError) | undefined;
}

interface AccessRequest {
  readonly access?: AccessMode;
  readonly lockBackend?: LockBackendName;
}

/**
 * Shared access needs native code, root (of a user namespace, too) and a writable graph root. Where one
 * of these is missing the store is read as a snapshot; that is announced, unless it was asked for.
 */
export function chooseAccess(
  conf: StorageConf,
  request: AccessRequest,
  onWarning: WarningHandler,
): ChosenAccess {
  // Before the host is asked what it can do, for that loads native code, which a snapshot does without. Nor does it
  // take locks: they are only to be those that a shared store in the same process has.
  const forSnapshot = request.lockBackend ?? 'fcntl';
  if (request.access === 'snapshot') return snapshot(forSnapshot, asked);
  const host = capabilities();
  const lockBackend = request.lockBackend ?? (host.ofdLocks ? 'fcntl' : 'proper-lockfile');
  const obstacle = obstacleToSharing(conf, host);
  if (obstacle === undefined) return { mode: 'shared', lockBackend, refuseWrite: undefined };
  if (request.access === 'shared' || !existsSync(conf.graphRoot)) throw obstacle(conf.graphRoot);
  onWarning({
    code: 'SNAPSHOT_MODE',
    message: `store ${conf.graphRoot} is read without locks and cannot be changed: ${obstacle(conf.graphRoot).message}`,
    path: conf.graphRoot,
  });
  return snapshot(host.native ? lockBackend : forSnapshot, obstacle);
}

type Refusal = (path: string) => StorageError;

function snapshot(lockBackend: LockBackendName, refuseWrite: Refusal): ChosenAccess {
  return { mode: 'snapshot', lockBackend, refuseWrite };
}

function asked(path: string): StorageError {
  return new StorageError('STORE_READ_ONLY', `${path}: called a write method on a read-only store`, {
    path,
    hint: 'open the store in shared mode',
  });
}

function obstacleToSharing(conf: StorageConf, host: ReturnType<typeof capabilities>): Refusal | undefined {
  if (!host.native) {
    return (path) =>
      new StorageError(
        'NATIVE_UNAVAILABLE',
        `${path}: native system calls cannot be used here: ${host.reason}`,
        {
          path,
          hint: 'a store can be changed on Linux only, with the koffi package installed',
        },
      );
  }
  if (process.geteuid?.() !== 0) {
    return (path) =>
      new StorageError('NEEDS_USERNS', `${path}: only root, also of a user namespace, can change a store`, {
        path,
        hint: 'run the program in a user namespace (runInUserNamespace, or "sediment unshare"), or as root',
      });
  }
  return existsSync(conf.graphRoot) ? obstacleToWriting(conf.graphRoot) : undefined;
}

/** Root of the host may write wherever it can be written; root of a user namespace only to its own files. */
function obstacleToWriting(graphRoot: string): Refusal | undefined {
  try {
    accessSync(graphRoot, constants.W_OK);
    return undefined;
  } catch (error) {
    if (errnoCode(error) === 'EROFS') return onReadOnlyMedia;
    if (errnoCode(error) === 'EACCES') return ofAnotherUser;
    throw error;
  }
}

function onReadOnlyMedia(path: string): StorageError {
  return new StorageError('STORE_READ_ONLY', `${path}: the graph root lies on read-only media`, {
    path,
    hint: 'mount it read-write, or choose another graph root',
  });
}

function ofAnotherUser(path: string): StorageError {
  return new StorageError('PERMISSION_DENIED', `${path}: the graph root belongs to another user`, {
    path,
    hint: 'run it as that user (for the store of the system: as root), or choose another graph root',
  });
}
