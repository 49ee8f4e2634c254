import { accessSync, constants, existsSync } from 'node:fs';
import { StorageError, type WarningHandler } from '@sediment/core';
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
  const host = capabilities();
  const lockBackend = request.lockBackend ?? (host.ofdLocks ? 'fcntl' : 'proper-lockfile');
  if (request.access === 'snapshot') return snapshot(lockBackend, asked);
  const obstacle = obstacleToSharing(conf, host);
  if (obstacle === undefined) return { mode: 'shared', lockBackend, refuseWrite: undefined };
  if (request.access === 'shared' || !existsSync(conf.graphRoot)) throw obstacle(conf.graphRoot);
  onWarning({
    code: 'SNAPSHOT_MODE',
    message: `store ${conf.graphRoot} is read without locks and cannot be changed: ${obstacle(conf.graphRoot).message}`,
    path: conf.graphRoot,
  });
  return snapshot(lockBackend, obstacle);
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
  if (existsSync(conf.graphRoot) && !isWritable(conf.graphRoot)) {
    return (path) =>
      new StorageError('STORE_READ_ONLY', `${path}: the graph root lies on read-only media`, {
        path,
        hint: 'mount it read-write, or choose another graph root',
      });
  }
  return undefined;
}

/** For root, access(2) refuses only what no one can write: a read-only file system. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code === 'EROFS' ||
      (error as NodeJS.ErrnoException).code === 'EACCES'
    ) {
      return false;
    }
    throw error;
  }
}
