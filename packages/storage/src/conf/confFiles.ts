import { type Dirent, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errnoCode, wrapSystemError } from '@sediment/core';

export interface ConfFileLookup {
  /** This file instead of the usual ones. */
  readonly configFile: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Above 0: the drop-ins for rootless users are read. */
  readonly uid: number;
  readonly home: string;
  /** In front of `/etc` and `/usr/share`, for tests. */
  readonly root: string;
}

/** A file to read. It need not exist unless somebody named it. */
export interface ConfFile {
  readonly path: string;
  /** What asked for the file by name: `CONTAINERS_STORAGE_CONF`, or the caller's option. */
  readonly namedBy?: string;
}

export interface ConfFiles {
  /** The first of these that exists is read. */
  readonly main: readonly ConfFile[];
  /** All of these are merged over it, in order. */
  readonly further: readonly ConfFile[];
}

const NAME = 'containers/storage';

/**
 * Where storage.conf is looked for. A file named by the caller or by `CONTAINERS_STORAGE_CONF` stands
 * alone; else the user's file, then `/etc`, then `/usr/share`, with the drop-ins of all of them.
 * `CONTAINERS_STORAGE_CONF_OVERRIDE` comes last in any case.
 *
 * @throws {StorageError} `PERMISSION_DENIED` or `IO` when a drop-in directory cannot be read
 */
export function findConfFiles(lookup: ConfFileLookup): ConfFiles {
  const named = namedFile(lookup);
  const override = lookup.env.CONTAINERS_STORAGE_CONF_OVERRIDE;
  const last = override ? [{ path: resolve(override), namedBy: 'CONTAINERS_STORAGE_CONF_OVERRIDE' }] : [];
  if (named !== undefined) return { main: [named], further: last };
  const user = join(lookup.env.XDG_CONFIG_HOME || join(lookup.home, '.config'), `${NAME}.conf`);
  const admin = join(lookup.root, '/etc', `${NAME}.conf`);
  const vendor = join(lookup.root, '/usr/share', `${NAME}.conf`);
  const directories = [
    ...systemDropIns(vendor, lookup.uid),
    ...systemDropIns(admin, lookup.uid),
    `${user}.d`,
  ];
  return {
    main: [user, admin, vendor].map((path) => ({ path })),
    further: [...listDropIns(directories).map((path) => ({ path })), ...last],
  };
}

function namedFile({ configFile, env }: ConfFileLookup): ConfFile | undefined {
  if (configFile !== undefined) return { path: resolve(configFile), namedBy: 'the configFile option' };
  const path = env.CONTAINERS_STORAGE_CONF;
  return path ? { path: resolve(path), namedBy: 'CONTAINERS_STORAGE_CONF' } : undefined;
}

function systemDropIns(main: string, uid: number): string[] {
  const special = main.replace(/\.conf$/, uid > 0 ? '.rootless.conf.d' : '.rootful.conf.d');
  return [`${main}.d`, special, ...(uid > 0 ? [join(special, String(uid))] : [])];
}

/** Regular `*.conf` files by base name; one in a later directory replaces its namesake. */
function listDropIns(directories: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const directory of directories) {
    for (const entry of readDirectory(directory)) {
      if (entry.isFile() && entry.name.endsWith('.conf')) found.set(entry.name, join(directory, entry.name));
    }
  }
  return [...found.keys()].sort().map((name) => found.get(name) as string);
}

function readDirectory(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}
