import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import { childProcess } from '../lazyModules.ts';
import type { IdMap } from '../records/idMap.ts';
import type { IdMapLists } from './idMappings.ts';

const PATIENCE_MS = 5000;
const PAUSE_MS = 1;
/** A kind of id without maps keeps its numbers. */
const SAME_IDS: readonly IdMap[] = [{ containerId: 0, hostId: 0, size: 0xffff_ffff }];

/**
 * Runs `fn` with a descriptor of a user namespace that has the given maps. A process of several threads
 * cannot make one for itself, so a child does, which lives until `fn` returns.
 *
 * @throws {StorageError} `NEEDS_USERNS` when there can be no such namespace
 */
export function withUserNamespace<T>(maps: IdMapLists, fn: (userNsFd: number) => T): T {
  // Waits for the end of its input, so that it ends with this process, whatever happens.
  const child = childProcess().spawn('unshare', ['--user', 'cat'], { stdio: ['pipe', 'ignore', 'ignore'] });
  // Its failure is found by looking; without a listener Node would end the program.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  try {
    if (child.pid === undefined) throw refused('the program "unshare" cannot be started');
    waitForNamespace(child.pid);
    writeMap(child.pid, 'uid_map', maps.uidMap);
    writeMap(child.pid, 'gid_map', maps.gidMap);
    const fd = openSync(`/proc/${child.pid}/ns/user`, 'r');
    try {
      return fn(fd);
    } finally {
      closeSync(fd);
    }
  } finally {
    child.stdin.destroy();
    child.kill('SIGKILL');
  }
}

function waitForNamespace(pid: number): void {
  const own = namespaceOf('self');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
    if (hasEnded(pid)) throw refused('the program "unshare" failed');
    if (namespaceOf(pid) !== own) return;
    Atomics.wait(pause, 0, 0, PAUSE_MS);
  }
  throw refused('the program "unshare" does not get ready');
}

/** That of this process if the other one is just ending. */
function namespaceOf(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw error;
    return namespaceOf('self');
  }
}

/** Whether the process is a zombie: it is ours, so it stays one until Node takes notice. */
function hasEnded(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

function writeMap(pid: number, file: 'uid_map' | 'gid_map', maps: readonly IdMap[]): void {
  const path = `/proc/${pid}/${file}`;
  const ranges = maps.length === 0 ? SAME_IDS : maps;
  const lines = ranges.map(({ containerId, hostId, size }) => `${containerId} ${hostId} ${size}\n`);
  try {
    writeFileSync(path, lines.join(''));
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'EINVAL') {
      throw new StorageError(
        'INVALID_MAPPINGS',
        `the kernel refuses the maps ${lines.join(', ').replaceAll('\n', '')}: invalid mappings specified`,
        {
          cause: error,
          hint: 'give ranges that have no id in common',
        },
      );
    }
    throw wrapSystemError(error, `writing ${path}`, 'NEEDS_USERNS', { path });
  }
}

function refused(reason: string): StorageError {
  return new StorageError('NEEDS_USERNS', `a user namespace cannot be made: ${reason}`, {
    hint: 'look at user.max_user_namespaces (sysctl) and whether util-linux is installed',
  });
}
