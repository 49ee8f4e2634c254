import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BundledProgram, bundleProgram } from '../../../../test/support/bundleProgram.ts';

const STRACE = '/usr/bin/strace';
/** Calls that change what others see. */
const CALLS = [
  'mkdir',
  'mkdirat',
  'rename',
  'renameat',
  'unlink',
  'unlinkat',
  'rmdir',
  'symlink',
  'linkat',
  'fdatasync',
  'pwrite64',
  'fchmod',
  'mount',
  'move_mount',
  'umount2',
];

/** The n-th call of that name in one of the threads. */
export interface KillPoint {
  readonly call: string;
  readonly when: number;
}

export const noStrace: string | undefined = existsSync(STRACE) ? undefined : 'needs strace';

/** A child program of this directory as one file; it is given its job as JSON. */
export async function bundleCrashChild(
  name: 'crashChild' | 'crashOperations' | 'keptBlobsChild' = 'crashChild',
): Promise<BundledProgram> {
  return await bundleProgram(fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
}

/**
 * All points at which the job could be killed, in the order in which an undisturbed run passes them.
 *
 * @param more further system calls
 */
export function findKillPoints(child: string, job: object, more: readonly string[] = []): KillPoint[] {
  const log = join(dirname(child), 'trace');
  const { status, stderr } = trace(child, job, ['-e', `trace=${[...CALLS, ...more].join(',')}`, '-o', log]);
  if (status !== 0) throw new Error(`the job failed without being killed: ${stderr}`);
  const counts = new Map<string, number>();
  const points = new Map<string, KillPoint>();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, thread, call] = /^(\d+)\s+(\w+)\(/.exec(line) ?? [];
    if (thread === undefined || call === undefined) continue;
    const when = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, when);
    points.set(`${call} ${when}`, { call, when });
  }
  return [...points.values()];
}

/** Runs the job and kills it; returns whether it was killed, and did not pass by. */
export function killAt(child: string, job: object, { call, when }: KillPoint): boolean {
  const inject = `inject=${call}:signal=SIGKILL:when=${when}`;
  const { status, signal } = trace(child, job, ['-e', `trace=${call}`, '-e', inject, '-o', '/dev/null']);
  return signal === 'SIGKILL' || status === 137;
}

/** One thread for asynchronous calls: strace counts the calls of each thread by itself. */
function trace(child: string, job: object, options: readonly string[]) {
  const args = ['-f', '-qq', ...options, process.execPath, child, JSON.stringify(job)];
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  return spawnSync(STRACE, args, { env, encoding: 'utf8' });
}
