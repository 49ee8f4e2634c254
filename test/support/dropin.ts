import { fileURLToPath } from 'node:url';
import { type RunOptions, type RunResult, runProgram } from './runProgram.ts';
import type { StoreRoot } from './storeRoot.ts';

/** Our `containers-storage` as it is installed: a stub that loads the built bundle. */
export const DROPIN = fileURLToPath(
  new URL('../../packages/containers-storage/bin/containers-storage.cjs', import.meta.url),
);

/** Runs our `containers-storage` with the arguments as they are, and gives back whatever came of it. */
export function runDropin(
  store: StoreRoot,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return runProgram(process.execPath, [DROPIN, ...args], {
    ...options,
    env: { ...store.env, ...options.env },
  });
}
