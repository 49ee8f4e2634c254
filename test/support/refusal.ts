import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { mountsBelow } from './mounts.ts';
import type { RunOptions, RunResult } from './runProgram.ts';
import { startSediment } from './sediment.ts';
import type { StoreRoot } from './storeRoot.ts';
import { storeState } from './storeState.ts';

/** What a failing command has to say. */
export interface Refusal {
  code: string;
  /** Texts that the line with the error holds: the object, the path. */
  says: ReadonlyArray<string | RegExp>;
}

/** Runs the command, which has to refuse and to leave store, mounts and temporary files as they were. */
export async function expectRefusal(
  store: StoreRoot,
  args: string[],
  refusal: Refusal,
  run: (store: StoreRoot, args: string[], options?: RunOptions) => Promise<RunResult> = startSediment,
): Promise<RunResult> {
  const before = look(store);
  const result = await run(store, args);
  expectFailure(result, refusal);
  expect(look(store)).toEqual(before);
  expect(processesNaming(store.path)).toEqual([]);
  return result;
}

/** Exit status 1, nothing on standard output, and one error with its code and a hint. */
export function expectFailure({ exitCode, stdout, stderr }: RunResult, { code, says }: Refusal): void {
  expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 1, stdout: '' });
  const [error = '', hint = '', ...rest] = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('Warning: '));
  expect(error).toMatch(/^Error: \S/);
  expect(error.slice(error.lastIndexOf(' ') + 1)).toBe(`[${code}]`);
  for (const text of says) {
    if (typeof text === 'string') expect(error).toContain(text);
    else expect(error).toMatch(text);
  }
  expect(hint).toMatch(/^Hint: \S/);
  expect(rest).toEqual([]);
}

function look(store: StoreRoot) {
  return {
    state: storeState(store),
    mounts: mountsBelow(store.path).map(({ mountPoint, fstype }) => `${fstype} on ${mountPoint}`),
    temporary: readdirSync(store.tmp),
  };
}

function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => commandOf(pid).includes(text));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
