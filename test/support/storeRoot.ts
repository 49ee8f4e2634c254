import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unmountBelow } from './mounts.ts';

export type DriverName = 'overlay' | 'vfs';

export interface StoreRootOptions {
  driver?: DriverName;
  /** What the store lies on: memory (default), or a fresh ext4 in a loop-mounted file. */
  on?: 'tmpfs' | 'ext4';
}

/** The places of one store that only this test uses. Disposing unmounts all below them and removes them. */
export interface StoreRoot extends AsyncDisposable {
  /** The directory that holds all of the others. */
  readonly path: string;
  readonly driver: DriverName;
  readonly graphRoot: string;
  readonly runRoot: string;
  /** Root of its own for images, where storage.conf names one. */
  readonly imageStore?: string;
  /** TMPDIR of the programs that work on the store. */
  readonly tmp: string;
  /** podman's own volatile state. */
  readonly libpodTmp: string;
  /** Points every containers program, ours too, at this store, even when no option says so. */
  readonly env: Readonly<Record<string, string>>;
  /** Driver options; see {@link withDriverOption}. */
  readonly driverOptions?: readonly string[];
  dispose(): void;
}

/** Makes an empty place for a store; nothing in it but configuration files. */
export function makeStoreRoot({ driver = 'overlay', on = 'tmpfs' }: StoreRootOptions = {}): StoreRoot {
  const path = makeScratchDirectory('store');
  if (on === 'ext4') mountFreshExt4(path);
  const store = storeRootAt(path, driver);
  const { graphRoot, runRoot, tmp, libpodTmp } = store;
  for (const directory of [graphRoot, runRoot, tmp, libpodTmp]) mkdirSync(directory, { mode: 0o700 });
  writeFileSync(
    join(path, 'storage.conf'),
    `[storage]\ndriver = "${driver}"\ngraphroot = "${graphRoot}"\nrunroot = "${runRoot}"\n`,
  );
  writeFileSync(join(path, 'containers.conf'), CONTAINERS_CONF);
  return store;
}

/** The places of a store that `makeStoreRoot` made in this directory, in this process or another one. */
export function storeRootAt(path: string, driver: DriverName = 'overlay'): StoreRoot {
  const place = (name: string): string => join(path, name);
  const dispose = (): void => removeScratchDirectory(path);
  return {
    path,
    driver,
    graphRoot: place('graph'),
    runRoot: place('run'),
    tmp: place('tmp'),
    libpodTmp: place('libpod'),
    env: {
      CONTAINERS_STORAGE_CONF: place('storage.conf'),
      CONTAINERS_CONF: place('containers.conf'),
      TMPDIR: place('tmp'),
      SEDIMENT_BLOB_INFO_CACHE: place('blob-info-cache.sqlite'),
    },
    dispose,
    [Symbol.asyncDispose]: async () => dispose(),
  };
}

/** The same store, which all programs but umoci use with a driver option more. */
export function withDriverOption(store: StoreRoot, option: string): StoreRoot {
  const driverOptions = [...(store.driverOptions ?? []), option];
  return { ...store, driverOptions, env: { ...store.env, STORAGE_OPTS: driverOptions.join(',') } };
}

/** Locks in files: the shared-memory locks of podman are one set for the whole host. */
const CONTAINERS_CONF = `[containers]
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
`;

/** A directory in memory, where the host has one; else in the directory for temporary files. */
export function makeScratchDirectory(purpose: string): string {
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  return mkdtempSync(join(base, `sediment-test-${purpose}-`));
}

/** Unmounts everything below a scratch directory and removes it with all it holds. */
export function removeScratchDirectory(path: string): void {
  unmountBelow(path);
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  rmSync(`${path}.ext4`, { force: true });
}

/** The image file is sparse, and its loop device goes when it is unmounted. */
function mountFreshExt4(directory: string): void {
  const file = `${directory}.ext4`;
  runOrThrow('truncate', ['--size=4G', file]);
  runOrThrow('mkfs.ext4', ['-q', '-F', file]);
  runOrThrow('mount', ['-o', 'loop', file, directory]);
  rmSync(join(directory, 'lost+found'), { recursive: true });
}

function runOrThrow(program: string, args: string[]): void {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const result = spawnSync(program, args, { encoding: 'utf8', env });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.error ?? result.stderr}`);
}
