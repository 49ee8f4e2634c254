import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';

export interface ExpandPathOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  /** The key the path belongs to and where it was set, for messages. */
  readonly key: string;
  readonly source: string;
}

/**
 * A path of storage.conf as it is used: `$UID` and environment variables put in, absolute, symbolic
 * links resolved if it exists. Upstream takes a variable that is not set for empty and so ends up in
 * another directory; here it is an error.
 *
 * @throws {StorageError} `CONFIG_INVALID`, `PERMISSION_DENIED`, `IO`
 */
export function expandPath(text: string, { env, uid, key, source }: ExpandPathOptions): string {
  const expanded = text
    .replaceAll('$UID', String(uid))
    .replace(/\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g, (_, braced?: string, plain?: string) => {
      const name = (braced ?? plain) as string;
      const value = name === 'UID' ? String(uid) : env[name];
      if (value !== undefined) return value;
      throw new StorageError(
        'CONFIG_INVALID',
        `${source}: key "${key}": the environment variable "${name}" of "${text}" is not set`,
        { object: key, path: source, hint: `set ${name}, or write the path out` },
      );
    });
  const path = resolve(expanded);
  try {
    return realpathSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoCode(error) ?? '')) return path;
    throw wrapSystemError(error, `${source}: key "${key}"`, 'IO', { path });
  }
}
