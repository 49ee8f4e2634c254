import { constants } from 'node:os';
import { StorageError } from '@sediment/core';
import { isMarkedConfigured } from './needsUserNamespace.ts';
import { runInUserNamespace, type UserNamespaceOptions } from './runInUserNamespace.ts';

/**
 * Runs this program again, with its arguments, as {@link runInUserNamespace} does, and resolves to the
 * exit status that this process should end with: that of the other, or 128 and the number of the signal
 * that ended it. For the first lines of a command:
 *
 * ```ts
 * if (needsUserNamespace()) process.exit(await reexecInUserNamespace());
 * ```
 *
 * @throws {StorageError} `NEEDS_USERNS`, also when the program was run again and still is not root
 */
export async function reexecInUserNamespace(options: UserNamespaceOptions = {}): Promise<number> {
  const { env = process.env } = options;
  if (process.geteuid?.() !== 0 && isMarkedConfigured(env)) {
    throw new StorageError('NEEDS_USERNS', 'this process is in a user namespace, but not root there', {
      hint: 'run it as root of the namespace, or outside of it',
    });
  }
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { code, signal } = await runInUserNamespace(argv, options);
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}
