import { isStorageError } from '@sediment/core';
import type { Command } from 'commander';
import { reportWarning } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';
import { ExitStatus } from './exitStatus.ts';

/** Commands that need no namespace: they open no store, or enter one by themselves. */
const OUTSIDE = ['version', 'unshare'];

/** Commands that can do with reading the store as it is. */
const READING = ['images', 'layers', 'containers', 'inspect', 'info', 'export', 'list', 'get'];

/** In the environment of a command that was run again: its mounts are out of the caller's sight. */
const VARIABLE = '_SEDIMENT_OWN_NAMESPACE';

/**
 * Runs the command line again in a user namespace when an ordinary user has given it, and ends this
 * process with the status of that. Where users cannot have namespaces, commands that only read go on.
 */
export async function enterUserNamespace(command: Command, terminal: Terminal): Promise<void> {
  // asked here and not of the storage package, so that it need not be loaded yet
  if (process.platform !== 'linux' || process.geteuid?.() === 0 || isOutside(command)) return;
  const { reexecInUserNamespace } = await import('@sediment/storage');
  const status = await reexecInUserNamespace({
    env: { ...process.env, [VARIABLE]: '1' },
    onWarning: (warning) => reportWarning(terminal, warning),
  }).catch((error: unknown) => {
    if (isStorageError(error, 'NEEDS_USERNS') && isReading(command)) return undefined;
    throw error;
  });
  if (status !== undefined) throw new ExitStatus(status);
}

/** A copy from one file to another has no part in a store. */
function isOutside(command: Command): boolean {
  if (command.name() !== 'copy') return OUTSIDE.includes(command.name());
  return !command.args.some((reference) => reference.startsWith('containers-storage:'));
}

/** A copy out of a store only reads it. */
function isReading(command: Command): boolean {
  if (command.name() !== 'copy') return READING.includes(command.name());
  return command.args[1]?.startsWith('containers-storage:') === false;
}

/** Whether this process is in a user namespace that only exists for this one command. */
export function isInOwnNamespace(): boolean {
  return process.env[VARIABLE] !== undefined;
}
