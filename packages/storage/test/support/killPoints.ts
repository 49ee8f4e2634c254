import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { NATIVE_PACKAGES } from '../../../../scripts/lib/bundleCommand.js';
import type { CrashJob } from './crashChild.ts';

const STRACE = '/usr/bin/strace';
/** Calls that change what others see. */
const CALLS = [
  'mkdir',
  'rename',
  'renameat',
  'unlink',
  'rmdir',
  'symlink',
  'linkat',
  'fdatasync',
  'pwrite64',
  'fchmod',
  'umount2',
];

/** The n-th call of that name in one of the threads. */
export interface KillPoint {
  readonly call: string;
  readonly when: number;
}

export const noStrace: string | undefined = existsSync(STRACE) ? undefined : 'needs strace';

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The child program as one file, below `node_modules`, where it finds the native packages. */
export async function bundleCrashChild(): Promise<{ path: string; remove: () => void }> {
  const cache = fromHere('../../../../node_modules/.cache/');
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'sediment-crash-'));
  const path = join(directory, 'child.mjs');
  await build({
    entryPoints: [fromHere('crashChild.ts')],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['sediment-source'],
    external: NATIVE_PACKAGES,
    alias: {},
    plugins: [
      {
        name: 'worker',
        setup: ({ onResolve }) =>
          onResolve({ filter: /\/workerUrl\.ts$/ }, () => ({
            path: fromHere('../../../../test/support/workerUrl.ts'),
          })),
      },
    ],
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
    logLevel: 'error',
  });
  return { path, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** All points at which the job could be killed, in the order in which an undisturbed run passes them. */
export function findKillPoints(child: string, job: CrashJob): KillPoint[] {
  const log = join(dirname(child), 'trace');
  const { status, stderr } = trace(child, job, ['-e', `trace=${CALLS.join(',')}`, '-o', log]);
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
export function killAt(child: string, job: CrashJob, { call, when }: KillPoint): boolean {
  const inject = `inject=${call}:signal=SIGKILL:when=${when}`;
  const { status, signal } = trace(child, job, ['-e', `trace=${call}`, '-e', inject, '-o', '/dev/null']);
  return signal === 'SIGKILL' || status === 137;
}

/** One thread for asynchronous calls: strace counts the calls of each thread by itself. */
function trace(child: string, job: CrashJob, options: readonly string[]) {
  const args = ['-f', '-qq', ...options, process.execPath, child, JSON.stringify(job)];
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  return spawnSync(STRACE, args, { env, encoding: 'utf8' });
}
