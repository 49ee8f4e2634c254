import { fileURLToPath } from 'node:url';
import { assertNothingLeft } from './leftovers.ts';
import { mountsBelow } from './mounts.ts';
import { type RunOptions, type RunResult, runProgram, succeeded } from './runProgram.ts';
import type { StoreRoot } from './storeRoot.ts';

/** The command as it is installed: a stub that loads the built bundle. */
export const SEDIMENT = fileURLToPath(new URL('../../packages/cli/bin/sediment.cjs', import.meta.url));

export interface SedimentOptions extends RunOptions {
  /** The command is one that mounts or unmounts, so that other mounts than before are no leftovers. */
  changesMounts?: boolean;
}

/**
 * Runs the built command on a store and gives back whatever came of it. Throws when the command left a
 * mount, a process or a temporary file behind.
 */
export async function trySediment(
  store: StoreRoot,
  args: string[],
  { changesMounts = false, ...options }: SedimentOptions = {},
): Promise<RunResult> {
  const before = mountsBelow(store.path).map(({ mountPoint }) => mountPoint);
  const result = await startSediment(store, args, options);
  const after = mountsBelow(store.path).map(({ mountPoint }) => mountPoint);
  assertNothingLeft(store, { mounts: changesMounts ? after : before });
  return result;
}

/** Runs the built command without a look at what it leaves behind: for commands that are killed. */
export function startSediment(
  store: StoreRoot,
  args: string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const roots = ['--root', store.graphRoot, '--runroot', store.runRoot, '--storage-driver', store.driver];
  return runProgram(process.execPath, [SEDIMENT, ...roots, ...args], {
    ...options,
    env: { ...store.env, ...options.env },
  });
}

/** Runs the built command, which has to succeed. */
export async function sediment(
  store: StoreRoot,
  args: string[],
  options?: SedimentOptions,
): Promise<RunResult> {
  return succeeded(await trySediment(store, args, options));
}

/** Runs the built command with `--format json` and parses what it prints. */
export async function sedimentJson<T>(
  store: StoreRoot,
  args: string[],
  options?: SedimentOptions,
): Promise<T> {
  const { stdout } = await sediment(store, [...args, '--format', 'json'], options);
  return JSON.parse(stdout) as T;
}
