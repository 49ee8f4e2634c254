import { readFileSync } from 'node:fs';
import type { RunOptions, RunResult } from './runProgram.ts';

const INTERVAL_MS = 20;

/**
 * The most memory that a program had in use at a time, in bytes, with what came of it. The kernel remembers the peak, so that
 * only the last moment before the end is missed.
 */
export async function withPeakMemory(
  run: (options: Pick<RunOptions, 'onStart'>) => Promise<RunResult>,
): Promise<{ result: RunResult; peakBytes: number }> {
  let peakBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const onStart = (pid: number): void => {
    timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, highWaterMark(pid));
    }, INTERVAL_MS);
  };
  try {
    return { result: await run({ onStart }), peakBytes };
  } finally {
    clearInterval(timer);
  }
}

/** 0 once the process is gone. */
function highWaterMark(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}
