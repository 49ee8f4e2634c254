import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { StorageError, type WarningHandler } from '@sediment/core';
import { type ConfFile, type ConfFileLookup, findConfFiles } from './confFiles.ts';
import type { ConfKey } from './confKeys.ts';
import { ConfValues } from './confValues.ts';
import { defaultGraphRoot, defaultRunRoot, SYSTEM_GRAPH_ROOT, SYSTEM_RUN_ROOT } from './defaultRoots.ts';
import { driverOptionsOf, isDriverOptionKey, splitDriverOption } from './driverOptions.ts';
import { expandPath } from './expandPath.ts';
import type { ConfValue, EffectiveSetting, StorageConf } from './storageConf.ts';
import { readTomlFile } from './tomlFile.ts';

/** Settings of the caller; they beat files and environment. */
export interface ConfOverrides {
  readonly graphRoot?: string;
  readonly runRoot?: string;
  readonly driver?: string;
  /** Empty: none, whatever the files say. */
  readonly imageStore?: string;
  readonly transientStore?: boolean;
  /** Replaces all driver options. */
  readonly driverOptions?: readonly string[];
}

export interface LoadStorageConfOptions {
  /** This file instead of the usual ones, as if `CONTAINERS_STORAGE_CONF` named it. */
  readonly configFile?: string;
  /** `process.env` if absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** The user whose store it is; 0 is the system's. The real user if absent, also in a user namespace. */
  readonly uid?: number;
  readonly home?: string;
  /** In front of `/etc` and `/usr/share`, for tests. */
  readonly root?: string;
  readonly overrides?: ConfOverrides;
  readonly onWarning: WarningHandler;
}

interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  readonly home: string;
  readonly root: string;
  readonly values: ConfValues;
  readonly overrides: ConfOverrides;
  readonly onWarning: WarningHandler;
}

interface Chosen<T> {
  readonly value: T;
  readonly source: string;
}

/**
 * Reads storage.conf, its drop-ins and the environment. Only reads; makes no directory.
 *
 * @throws {StorageError} `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `PERMISSION_DENIED`, `IO`
 */
export async function loadStorageConf(options: LoadStorageConfOptions): Promise<StorageConf> {
  const { env = process.env, overrides = {}, root = '/', configFile, onWarning } = options;
  const uid = options.uid ?? ownerUid(env);
  const home = options.home ?? (env.HOME || homedir());
  const values = new ConfValues(onWarning);
  const files = readFiles({ configFile, env, uid, home, root }, values);
  return buildConf({ env, uid, home, root, values, overrides, onWarning }, files);
}

/** Go programs keep the user's id in a variable when they have made themselves root of a namespace. */
function ownerUid(env: NodeJS.ProcessEnv): number {
  const outside = env._CONTAINERS_ROOTLESS_UID;
  return outside !== undefined && /^\d+$/.test(outside) ? Number(outside) : (process.getuid?.() ?? 0);
}

function readFiles(lookup: ConfFileLookup, values: ConfValues): string[] {
  const { main, further } = findConfFiles(lookup);
  const read: string[] = [];
  const addFile = (file: ConfFile): boolean => {
    const content = readTomlFile(file.path);
    if (content === undefined && file.namedBy !== undefined) throw notFound(file);
    if (content === undefined) return false;
    values.addFile(content, file.path);
    read.push(file.path);
    return true;
  };
  main.some(addFile);
  for (const file of further) addFile(file);
  return read;
}

function notFound({ path, namedBy }: ConfFile): StorageError {
  return new StorageError(
    'CONFIG_NOT_FOUND',
    `${path}: the configuration file named by ${namedBy} does not exist`,
    {
      path,
      hint: 'name a file that exists, or none',
    },
  );
}

function buildConf(context: Context, files: readonly string[]): StorageConf {
  const { values } = context;
  const driver = chooseDriver(context);
  const graphRoot = chooseGraphRoot(context);
  const runRoot = chooseRunRoot(context);
  const driverOptions = chooseDriverOptions(context);
  const imageStore = chooseImageStore(context, graphRoot.value);
  const transientStore = chooseTransientStore(context);
  return {
    driver: driver.value === '' ? undefined : driver.value,
    driverPriority: values.texts('storage.driver_priority'),
    graphRoot: graphRoot.value,
    runRoot: runRoot.value,
    imageStore: imageStore?.value,
    transientStore: transientStore.value,
    driverOptions: driverOptions.value,
    pullOptions: values.table('storage.options.pull_options'),
    disableVolatile: values.flag('storage.options.disable-volatile'),
    stripSuidSgid: values.flag('storage.options.strip_suid_sgid'),
    autoUserns: {
      user: values.text('storage.options.root-auto-userns-user') ?? 'containers',
      minSize: values.number('storage.options.auto-userns-min-size') ?? 1024,
      maxSize: values.number('storage.options.auto-userns-max-size') ?? 65536,
    },
    settings: listSettings(values, {
      driver,
      graphRoot,
      runRoot,
      driverOptions,
      ...(imageStore === undefined ? {} : { imageStore }),
      transientStore,
    }),
    files,
  };
}

function chooseDriver({ env, values, overrides, onWarning }: Context): Chosen<string> {
  const chosen =
    fromOption(overrides.driver) ??
    (env.STORAGE_DRIVER ? { value: env.STORAGE_DRIVER, source: 'STORAGE_DRIVER' } : undefined) ??
    fromFile(values, 'storage.driver') ??
    byDefault('');
  if (chosen.value !== 'overlay2') return chosen;
  onWarning({
    code: 'CONFIG_KEY_DEPRECATED',
    message: `driver "overlay2" (${chosen.source}) is an old name of "overlay", which is used`,
    object: 'storage.driver',
  });
  return { ...chosen, value: 'overlay' };
}

function chooseGraphRoot(context: Context): Chosen<string> {
  const { values, overrides, uid } = context;
  if (overrides.graphRoot !== undefined) return fromOption(rootOption(overrides.graphRoot, 'graphRoot'));
  const rootless = uid > 0 ? expanded(context, 'storage.rootless_storage_path') : undefined;
  const chosen =
    ownRoot(context, 'storage.graphroot', SYSTEM_GRAPH_ROOT) ??
    rootless ??
    byDefault(defaultGraphRoot(context));
  if (rootless !== undefined && chosen.value !== rootless.value) {
    context.onWarning({
      code: 'CONFIG_KEY_DEPRECATED',
      message: `${values.get('storage.rootless_storage_path')?.source}: rootless_storage_path has no effect, graphroot is set to ${chosen.value}`,
      object: 'storage.rootless_storage_path',
    });
  }
  return chosen;
}

function chooseRunRoot(context: Context): Chosen<string> {
  const { runRoot } = context.overrides;
  if (runRoot !== undefined) return fromOption(rootOption(runRoot, 'runRoot'));
  return ownRoot(context, 'storage.runroot', SYSTEM_RUN_ROOT) ?? byDefault(defaultRunRoot(context));
}

/**
 * A root of the files that can be meant for this user. Distributions ship files that name the system's
 * own store; older programs of the family ignore it there for rootless users, who could not use it.
 */
function ownRoot(context: Context, key: ConfKey, system: string): Chosen<string> | undefined {
  const { values, uid, root } = context;
  const { value, source = '' } = values.get(key) ?? {};
  const isShipped = ['/etc/', '/usr/share/'].some((directory) => source.startsWith(join(root, directory)));
  return uid > 0 && isShipped && value === system ? undefined : expanded(context, key);
}

function chooseImageStore(context: Context, graphRoot: string): Chosen<string> | undefined {
  const { imageStore } = context.overrides;
  if (imageStore === '') return undefined;
  const chosen =
    imageStore === undefined
      ? expanded(context, 'storage.imagestore')
      : fromOption(rootOption(imageStore, 'imageStore'));
  if (chosen?.value === graphRoot) throw sameRoots(chosen);
  return chosen;
}

function chooseTransientStore({ values, overrides }: Context): Chosen<boolean> {
  if (overrides.transientStore !== undefined) return { value: overrides.transientStore, source: 'option' };
  const source = values.get('storage.transient_store')?.source ?? 'default';
  return { value: values.flag('storage.transient_store'), source };
}

/** `undefined` as source: the options come from the keys of the files. */
function chooseDriverOptions({ env, values, overrides }: Context): Chosen<readonly string[]> {
  if (overrides.driverOptions !== undefined) return { value: overrides.driverOptions, source: 'option' };
  // Set but empty means: no options at all, as in upstream.
  const text = env.STORAGE_OPTS;
  if (text !== undefined) return { value: text === '' ? [] : text.split(','), source: 'STORAGE_OPTS' };
  return { value: driverOptionsOf(values), source: '' };
}

function listSettings(
  values: ConfValues,
  chosen: {
    readonly driver: Chosen<string>;
    readonly graphRoot: Chosen<string>;
    readonly runRoot: Chosen<string>;
    readonly driverOptions: Chosen<readonly string[]>;
    readonly imageStore?: Chosen<string>;
    readonly transientStore: Chosen<boolean>;
  },
): EffectiveSetting[] {
  const { driverOptions } = chosen;
  const replaced = driverOptions.source !== '';
  const roots: Array<readonly [ConfKey, Chosen<ConfValue>]> = [
    ['storage.driver', chosen.driver],
    ['storage.graphroot', chosen.graphRoot],
    ['storage.runroot', chosen.runRoot],
    ...(chosen.imageStore === undefined ? [] : [['storage.imagestore', chosen.imageStore] as const]),
    ...(chosen.transientStore.source === 'default'
      ? []
      : [['storage.transient_store', chosen.transientStore] as const]),
  ];
  const others = values
    .keys()
    .filter((key) => !roots.some(([root]) => root === key) && !(replaced && isDriverOptionKey(key)))
    .map((key) => [key, values.get(key) as Chosen<ConfValue>] as const);
  const settings = [...roots, ...others].map(([key, { value, source }]) => ({ key, value, source }));
  if (!replaced) return settings;
  const options = driverOptions.value.map((option) => {
    const { driver, key, value } = splitDriverOption(option);
    return { key: driver === '' ? key : `${driver}.${key}`, value, source: driverOptions.source };
  });
  return [...settings, ...options];
}

function expanded({ env, uid, values }: Context, key: ConfKey): Chosen<string> | undefined {
  const chosen = fromFile(values, key);
  if (chosen === undefined) return undefined;
  return { ...chosen, value: expandPath(chosen.value, { env, uid, key, source: chosen.source }) };
}

function fromFile(values: ConfValues, key: ConfKey): Chosen<string> | undefined {
  const value = values.text(key);
  return value === undefined ? undefined : { value, source: values.get(key)?.source as string };
}

function fromOption(value: string): Chosen<string>;
function fromOption(value: string | undefined): Chosen<string> | undefined;
function fromOption(value: string | undefined): Chosen<string> | undefined {
  return value === undefined ? undefined : { value, source: 'option' };
}

function byDefault(value: string): Chosen<string> {
  return { value, source: 'default' };
}

function rootOption(path: string, name: string): string {
  if (path !== '') return resolve(path);
  throw new StorageError('CONFIG_INVALID', `the ${name} option is empty`, { hint: 'give a path' });
}

function sameRoots({ value, source }: Chosen<string>): StorageError {
  return new StorageError(
    'CONFIG_INVALID',
    `${source}: imagestore "${value}" must either be not set or be a different than graphroot`,
    {
      object: 'storage.imagestore',
      path: source,
      hint: 'leave imagestore out, or let it name another directory',
    },
  );
}
