import { isStorageError } from '@sediment/core';
import { booleanFlag, type Flag, stringFlag } from './flag.ts';
import type { FlagValues } from './flagValues.ts';

/** What the global flags say, wherever they stood. Empty texts and lists were not given. */
export interface GlobalOptions {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly driver: string;
  readonly driverOptions: readonly string[];
  readonly imageStore: string;
  readonly transientStore: boolean;
  readonly debug: boolean;
  /** Whether to run as root of a user namespace. */
  readonly unshare: boolean;
}

/** Only a user without privileges needs a namespace. */
const UNSHARE = process.geteuid?.() !== 0;

/** What holds before any flag was read. */
export const NO_GLOBAL_OPTIONS: GlobalOptions = {
  graphRoot: '',
  runRoot: '',
  driver: '',
  driverOptions: [],
  imageStore: '',
  transientStore: false,
  debug: false,
  unshare: UNSHARE,
};

/** The flags of every command. They begin with what is known so far, which help shows. */
export function globalFlags(known: GlobalOptions): Flag[] {
  const list: Flag = {
    names: ['--storage-opt'],
    kind: 'list',
    description: 'Set storage driver options ($STORAGE_OPTS)',
    initial: known.driverOptions,
  };
  const boolean = (names: Flag['names'], description: string, initial: boolean): Flag => ({
    ...booleanFlag(names, description),
    initial,
  });
  return [
    boolean(['--debug', '-D'], 'Print debugging information', known.debug),
    stringFlag(['--graph', '-g'], 'Root of the storage tree', known.graphRoot),
    stringFlag(['--image-store'], 'Root of the separate image store', known.imageStore),
    stringFlag(['--run', '-R'], 'Root of the runtime state tree', known.runRoot),
    stringFlag(['--storage-driver', '-s'], 'Storage driver to use ($STORAGE_DRIVER)', known.driver),
    list,
    boolean(['--transient-store'], 'Transient store', known.transientStore),
    boolean(['--unshare', '-U'], `Run in a user namespace (default ${UNSHARE})`, known.unshare),
  ];
}

export function readGlobalOptions(values: FlagValues): GlobalOptions {
  return {
    graphRoot: values.string('--graph'),
    runRoot: values.string('--run'),
    driver: values.string('--storage-driver'),
    driverOptions: values.list('--storage-opt'),
    imageStore: values.string('--image-store'),
    transientStore: values.boolean('--transient-store'),
    debug: values.boolean('--debug'),
    unshare: values.boolean('--unshare'),
  };
}

/** Whether the configuration supplies nothing but the place of a root that was not given. */
export function choosesStore({ graphRoot, runRoot, driver, driverOptions }: GlobalOptions): boolean {
  return graphRoot !== '' || runRoot !== '' || driver !== '' || driverOptions.length > 0;
}

/** The options as the configuration completes them: only if no flag chooses the store. */
export async function configuredOptions(given: GlobalOptions): Promise<GlobalOptions> {
  if (choosesStore(given)) return given;
  const { loadStorageConf } = await import('@sediment/storage');
  try {
    const conf = await loadStorageConf({ onWarning: () => undefined });
    const { graphRoot, runRoot, driver = '', driverOptions } = conf;
    return { ...given, graphRoot, runRoot, driver, driverOptions };
  } catch (error) {
    // a configuration that cannot be used is reported when the store is opened
    if (isStorageError(error)) return given;
    throw error;
  }
}

/**
 * The options of both places. Flags that choose a store behind the command, and only there, come on top
 * of the configuration; in front of it they replace it.
 */
export async function withConfiguration(before: GlobalOptions, all: GlobalOptions): Promise<GlobalOptions> {
  if (choosesStore(before) || !choosesStore(all)) return all;
  const { graphRoot, runRoot, driver, driverOptions } = await configuredOptions(before);
  return {
    ...all,
    graphRoot: all.graphRoot || graphRoot,
    runRoot: all.runRoot || runRoot,
    driver: all.driver || driver,
    driverOptions: [...driverOptions, ...all.driverOptions],
  };
}
