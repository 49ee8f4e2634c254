import { lstatSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';

export interface DefaultRootOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  readonly home: string;
  /** Holder of the run-time directories of users; for tests. */
  readonly runUser?: string;
}

/** Roots of the store that belongs to root. */
export const SYSTEM_GRAPH_ROOT = '/var/lib/containers/storage';
export const SYSTEM_RUN_ROOT = '/run/containers/storage';

/** Where a store is when nothing says otherwise. */
export function defaultGraphRoot({ env, uid, home }: DefaultRootOptions): string {
  if (uid === 0) return SYSTEM_GRAPH_ROOT;
  return join(env.XDG_DATA_HOME || join(home, '.local/share'), 'containers/storage');
}

/**
 * Where a store keeps what ends with the next boot. For rootless users: below `XDG_RUNTIME_DIR`, else
 * below `/run/user/<uid>` if that is the user's own, else in the temporary directory.
 *
 * @throws {StorageError} `CONFIG_INVALID` when the directory that must be used is another user's
 */
export function defaultRunRoot(options: DefaultRootOptions): string {
  const { env, uid, runUser = '/run/user' } = options;
  if (uid === 0) return SYSTEM_RUN_ROOT;
  if (env.XDG_RUNTIME_DIR) return join(resolveLinks(env.XDG_RUNTIME_DIR), 'containers');
  const login = join(runUser, String(uid));
  if (ownershipOf(login) === 'own') return join(login, 'containers');
  const temporary = join(env.TMPDIR || tmpdir(), `storage-run-${uid}`);
  if (ownershipOf(temporary) !== 'foreign') return join(temporary, 'containers');
  throw new StorageError(
    'CONFIG_INVALID',
    `${temporary} exists and others than the current user may write to it`,
    {
      path: temporary,
      hint: 'set XDG_RUNTIME_DIR, or runroot in storage.conf',
    },
  );
}

function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw wrapSystemError(error, 'XDG_RUNTIME_DIR', 'CONFIG_INVALID', {
      path,
      hint: 'make the directory, or let XDG_RUNTIME_DIR name one that exists',
    });
  }
}

/** `own`: only the current user can write there. */
function ownershipOf(path: string): 'own' | 'foreign' | 'absent' {
  try {
    const { uid, mode } = lstatSync(path);
    return uid === process.geteuid?.() && (mode & 0o722) === 0o700 ? 'own' : 'foreign';
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return 'absent';
    throw wrapSystemError(error, `looking at ${path}`, 'IO', { path });
  }
}
