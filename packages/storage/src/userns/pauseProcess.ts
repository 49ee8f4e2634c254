import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, wrapSystemError } from '@sediment/core';

/** Programs that podman starts to hold its namespaces. */
const PAUSE_PROGRAMS = ['catatonit', 'podman', 'podman pause'];

/**
 * The process that holds the user and mount namespace of the user's podman. All rootless podman
 * commands of a user work in these, so that they see each other's mounts. Undefined if there is none.
 */
export function findPauseProcess(env: NodeJS.ProcessEnv): number | undefined {
  const uid = process.geteuid?.() ?? 0;
  const runtime = env.XDG_RUNTIME_DIR || `/run/user/${uid}`;
  const file = join(runtime, 'libpod/tmp/pause.pid');
  const pid = Number(readOptional(file)?.trim() || Number.NaN);
  return Number.isSafeInteger(pid) && pid > 0 && isPauseProcess(pid, uid) ? pid : undefined;
}

/** The file may be left over, and its number be another process's by now. */
function isPauseProcess(pid: number, uid: number): boolean {
  const command = readOptional(`/proc/${pid}/comm`)?.trim();
  const rootMap = readOptional(`/proc/${pid}/uid_map`)?.trim().split(/\s+/, 3).map(Number);
  return (
    command !== undefined &&
    PAUSE_PROGRAMS.includes(command) &&
    rootMap?.join() === [0, uid, 1].join() &&
    statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === uid
  );
}

/** The content of a file that may be absent, or of a process that may be gone or another user's. */
function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'ENOTDIR'].includes(errnoCode(error) ?? '')) return undefined;
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}
