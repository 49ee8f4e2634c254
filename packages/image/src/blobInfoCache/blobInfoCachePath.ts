import { join } from 'node:path';

/** The version of the schema is in the name: programs with another one use another file. */
const FILE = 'blob-info-cache-v1.sqlite';
const SYSTEM_DIRECTORY = '/var/lib/containers/cache';

export interface BlobInfoCachePathOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Effective user id of this process. */
  readonly uid?: number;
}

/**
 * Where containers/image keeps its cache: that of the system for root, that of the user for others, also for
 * those who are root of their own user namespace only. Undefined for a user without a home.
 *
 * Source: containers/image, `pkg/blobinfocache`, `DefaultCache`
 */
export function blobInfoCachePath(options: BlobInfoCachePathOptions = {}): string | undefined {
  const { env = process.env, uid = process.geteuid?.() ?? -1 } = options;
  const outside = env._CONTAINERS_ROOTLESS_UID ?? '';
  if ((/^\d+$/.test(outside) ? Number(outside) : uid) === 0) return join(SYSTEM_DIRECTORY, FILE);
  const data = env.XDG_DATA_HOME || (env.HOME ? join(env.HOME, '.local/share') : undefined);
  return data === undefined ? undefined : join(data, 'containers/cache', FILE);
}
