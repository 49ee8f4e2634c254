import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { StorageError, type Warning, type WarningHandler } from '@sediment/core';
import { childProcess } from '../lazyModules.ts';
import {
  type NamespaceProgram,
  type StandardStreams,
  startInNamespaceOf,
  startInNewNamespace,
} from './enterNamespace.ts';
import { forwardSignals } from './forwardSignals.ts';
import { namespaceMaps } from './namespaceMaps.ts';
import { hasUserNamespace, namespaceVariables } from './needsUserNamespace.ts';
import { findPauseProcess } from './pauseProcess.ts';

export interface UserNamespaceOptions {
  /** Environment of the program, to which the variables of rootless programs are added; `process.env` if absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input, output and error; those of this process if absent. */
  readonly stdio?: StandardStreams;
  /** Ends the program with SIGTERM; the call then fails with `ABORTED`. */
  readonly signal?: AbortSignal;
  /**
   * Whether to use the namespaces that the user's podman holds, if it holds any (default): mounts are
   * then shared with podman and outlive the program. Otherwise the program gets namespaces of its own,
   * and its mounts end with it.
   */
  readonly share?: boolean;
  /** Whether signals to this process are handed on to the program (default), instead of ending both. */
  readonly forwardSignals?: boolean;
  /** Told that the user has no subordinate ids (`SINGLE_ID_MAP`); `process.emitWarning` if absent. */
  readonly onWarning?: WarningHandler;
}

/** How a program ended: one of the two is null. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Runs a program as root of a user namespace, with the caller's subordinate ids, and of a mount
 * namespace; there it can change a store without any privilege outside. Resolves when the program has
 * ended, however it did; a program that cannot be found ends with code 127, as in a shell.
 *
 * A process cannot enter such a namespace by itself once it has threads, as every Node.js process has.
 * A program that embeds a store therefore runs the part that changes it, or all of itself, by this. In a
 * process that is in such a namespace already, the program is simply run.
 *
 * @throws {StorageError} `NEEDS_USERNS` when there can be no namespace: the hint says what to do;
 *   `NOT_SUPPORTED` on other systems than Linux; `ABORTED`
 */
export async function runInUserNamespace(
  argv: readonly string[],
  options: UserNamespaceOptions = {},
): Promise<ProgramEnd> {
  if (argv[0] === undefined) throw new TypeError('argv: a program is needed');
  throwIfAborted(options.signal);
  const child = await startProgram(argv, options);
  const abort = () => child.kill('SIGTERM');
  options.signal?.addEventListener('abort', abort, { once: true });
  using _forwarding = options.forwardSignals === false ? undefined : forwardSignals(child);
  try {
    if (options.signal?.aborted === true) abort();
    const end = await endOf(child);
    throwIfAborted(options.signal);
    return end;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}

async function startProgram(
  argv: readonly string[],
  { env = process.env, stdio = [0, 1, 2], share = true, onWarning = emitWarning }: UserNamespaceOptions,
): Promise<ChildProcess> {
  const program: NamespaceProgram = { argv, stdio, env: { ...env, ...namespaceVariables(env) } };
  if (hasUserNamespace()) return await startHere(program);
  const pause = share ? findPauseProcess(env) : undefined;
  if (pause !== undefined) return await startInNamespaceOf(pause, program);
  return await startInNewNamespace(program, namespaceMaps(onWarning));
}

async function startHere({
  argv: [program = '', ...args],
  env,
  stdio,
}: NamespaceProgram): Promise<ChildProcess> {
  const child = childProcess().spawn('/bin/sh', ['-c', 'exec "$@"', 'sh', program, ...args], {
    env,
    stdio: [...stdio],
  });
  await once(child, 'spawn');
  return child;
}

async function endOf(child: ChildProcess): Promise<ProgramEnd> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { code: child.exitCode, signal: child.signalCode };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new StorageError('ABORTED', 'the program in the user namespace was ended', { cause: signal.reason });
}

function emitWarning({ code, message }: Warning): void {
  process.emitWarning(message, { code, type: 'SedimentWarning' });
}
