import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type RunResult, runProgram } from '../runProgram.ts';
import type { StoreRoot } from '../storeRoot.ts';
import { DISK_CALLS, type DiskAction, diskActions } from './diskActions.ts';
import { parseTrace } from './traceLines.ts';

const STRACE = '/usr/bin/strace';

export const straceSkipReason: string | undefined = existsSync(STRACE) ? undefined : 'needs strace';

/** Runs a program of Node.js, all of its threads and children, and tells what it did to the disk. */
export async function traceCommand(
  store: StoreRoot,
  args: readonly string[],
): Promise<{ result: RunResult; actions: DiskAction[] }> {
  const log = join(store.path, 'trace');
  const options = [
    '-f',
    '--seccomp-bpf',
    '-yy',
    '-qq',
    '-s',
    '256',
    '-e',
    `trace=${DISK_CALLS.join(',')}`,
    '-o',
    log,
  ];
  const result = await runProgram(STRACE, [...options, process.execPath, ...args], { env: { ...store.env } });
  const actions = diskActions(parseTrace(readFileSync(log, 'latin1')));
  rmSync(log);
  return { result, actions };
}
