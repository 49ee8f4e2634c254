import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import { childProcess } from '../lazyModules.ts';
import type { IdMap } from '../records/idMap.ts';
import type { NamespaceMaps } from './namespaceMaps.ts';

type Kind = 'uid' | 'gid';

/**
 * Gives the new user namespace of a process its ids. Root writes them itself. A user may write a map of
 * the own id alone; for more there are the setuid programs newuidmap and newgidmap (uidmap package).
 *
 * @throws {StorageError} `NEEDS_USERNS` with what is wrong with those programs
 */
export async function writeIdMaps(pid: number, { uids, gids }: NamespaceMaps): Promise<void> {
  if (process.geteuid?.() !== 0 && (uids.length > 1 || gids.length > 1)) {
    await runMapper('uid', pid, uids);
    await runMapper('gid', pid, gids);
    return;
  }
  try {
    writeFileSync(`/proc/${pid}/uid_map`, mapLines(uids));
    // A user who could leave groups in a namespace could get around files that shut a group out.
    if (process.geteuid?.() !== 0) writeFileSync(`/proc/${pid}/setgroups`, 'deny');
    writeFileSync(`/proc/${pid}/gid_map`, mapLines(gids));
  } catch (error) {
    throw wrapSystemError(error, 'mapping ids into a user namespace', 'NEEDS_USERNS', {
      hint: 'run it as root, or where user namespaces are allowed',
    });
  }
}

function mapLines(maps: readonly IdMap[]): string {
  return maps.map(({ containerId, hostId, size }) => `${containerId} ${hostId} ${size}\n`).join('');
}

async function runMapper(kind: Kind, pid: number, maps: readonly IdMap[]): Promise<void> {
  const program = `new${kind}map`;
  const ids = maps.flatMap(({ containerId, hostId, size }) => [containerId, hostId, size]);
  try {
    await promisify(childProcess().execFile)(program, [pid, ...ids].map(String));
  } catch (error) {
    throw mapperError(program, kind, error);
  }
}

function mapperError(program: string, kind: Kind, error: unknown): StorageError {
  if (errnoCode(error) === 'ENOENT') {
    return new StorageError('NEEDS_USERNS', `${program}: executable file not found in $PATH`, {
      object: program,
      hint: 'install newuidmap and newgidmap (package uidmap or shadow-utils), or run it as root',
      cause: error,
    });
  }
  const { stderr } = error as { readonly stderr?: string };
  const reason = stderr?.trim().replace(/^new[ug]idmap: /, '') || String(error);
  return new StorageError('NEEDS_USERNS', `running ${program}: ${reason}`, {
    object: program,
    hint: /not allowed/.test(reason)
      ? `look whether the ranges in /etc/sub${kind} are the user's own and do not overlap`
      : `${program} must be setuid root or have the capability CAP_SET${kind.toUpperCase()}, and this process must be allowed to gain privileges`,
    cause: error,
  });
}
