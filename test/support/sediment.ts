import { fileURLToPath } from 'node:url';
import { type RunOptions, type RunResult, runProgram, succeeded } from './runProgram.ts';
import type { StoreRoot } from './storeRoot.ts';

/** The command as it is installed: a stub that loads the built bundle. */
export const SEDIMENT = fileURLToPath(new URL('../../packages/cli/bin/sediment.js', import.meta.url));

/** Runs the built command on a store and gives back whatever came of it. */
export function trySediment(store: StoreRoot, args: string[], options: RunOptions = {}): Promise<RunResult> {
  const roots = ['--root', store.graphRoot, '--runroot', store.runRoot, '--storage-driver', store.driver];
  return runProgram(process.execPath, [SEDIMENT, ...roots, ...args], {
    ...options,
    env: { ...store.env, ...options.env },
  });
}

/** Runs the built command, which has to succeed. */
export async function sediment(store: StoreRoot, args: string[], options?: RunOptions): Promise<RunResult> {
  return succeeded(await trySediment(store, args, options));
}

/** Runs the built command with `--format json` and parses what it prints. */
export async function sedimentJson(store: StoreRoot, args: string[], options?: RunOptions): Promise<unknown> {
  const { stdout } = await sediment(store, [...args, '--format', 'json'], options);
  return JSON.parse(stdout);
}
