import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isStorageError, StorageError } from '@sediment/core';
import type { Driver, DriverContext, DriverName } from './driver.ts';

export interface OpenDriverOptions {
  /** The driver that was asked for; without it, one is chosen. */
  readonly name?: string | undefined;
  /** Drivers to try, best first; `driver_priority` of storage.conf. */
  readonly priority?: readonly string[];
  /** Whether to open the driver, which writes to the graph root. Default true. */
  readonly probe?: boolean;
  readonly context: DriverContext;
}

/** Only the driver that is used is loaded. */
const FACTORIES: Readonly<Record<DriverName, (context: DriverContext) => Promise<Driver>>> = {
  overlay: async (context) => {
    const { OverlayDriver } = await import('./overlay/overlayDriver.ts');
    return new OverlayDriver(context);
  },
  vfs: async (context) => {
    const { VfsDriver } = await import('./vfs/vfsDriver.ts');
    return new VfsDriver(context);
  },
};

/** Upstream's order. Names without a factory are drivers that Sediment does not have. */
const DEFAULT_PRIORITY = ['overlay', 'btrfs', 'zfs', 'vfs'];
/** vfs may have been someone's fallback: its directory alone is no reason to use it. */
const PRIOR_DRIVERS = ['overlay', 'btrfs', 'zfs'];

/**
 * Opens the named driver, or the one that the graph root already uses, or the first of the priority list
 * that works. Being left with vfs, because better drivers do not work, is a warning (`DRIVER_FALLBACK`).
 *
 * @throws {StorageError} `DRIVER_UNKNOWN`; `DRIVER_AMBIGUOUS` when the graph root holds several;
 *   `DRIVER_PREREQUISITES`; what reading the options throws
 */
export async function openDriver(options: OpenDriverOptions): Promise<Driver> {
  const { name, priority = [], context } = options;
  if (name !== undefined && name !== '') return await makeDriver(knownName(name, context), options);
  const prior = priorDriver(context.graphRoot, priority);
  if (prior !== undefined) return await makeDriver(knownName(prior, context), options);
  return await firstThatWorks(options, priority.length === 0 ? DEFAULT_PRIORITY : priority);
}

async function makeDriver(name: DriverName, { context, probe = true }: OpenDriverOptions): Promise<Driver> {
  const driver = await FACTORIES[name](context);
  if (probe) await driver.open();
  return driver;
}

function knownName(name: string, { onWarning, graphRoot }: DriverContext): DriverName {
  if (name === 'overlay2') {
    onWarning({ code: 'CONFIG_KEY_DEPRECATED', message: 'driver "overlay2" is called "overlay" now' });
    return 'overlay';
  }
  if (Object.hasOwn(FACTORIES, name)) return name as DriverName;
  throw new StorageError(
    'DRIVER_UNKNOWN',
    `storage driver "${name}" for ${graphRoot}: driver not supported`,
    {
      object: name,
      path: graphRoot,
      hint: 'use "overlay" or "vfs"',
    },
  );
}

/** The driver whose home is in the graph root already, if exactly one is. */
function priorDriver(graphRoot: string, priority: readonly string[]): string | undefined {
  const exists = (name: string) => existsSync(join(graphRoot, name));
  const chosen = (priority.length === 0 ? PRIOR_DRIVERS : priority).find(exists);
  const found = [...new Set([...PRIOR_DRIVERS, ...priority])].filter(exists);
  if (chosen === undefined || found.length === 1) return chosen;
  throw new StorageError(
    'DRIVER_AMBIGUOUS',
    `${graphRoot} contains several valid graphdrivers: ${found.join(', ')}; Please cleanup or explicitly choose storage driver (-s <DRIVER>)`,
    { path: graphRoot, hint: 'name the driver in storage.conf or on the command line' },
  );
}

async function firstThatWorks(options: OpenDriverOptions, names: readonly string[]): Promise<Driver> {
  const { graphRoot, onWarning } = options.context;
  const reasons: StorageError[] = [];
  for (const name of names) {
    if (!Object.hasOwn(FACTORIES, name)) continue;
    let driver: Driver;
    try {
      driver = await makeDriver(name as DriverName, options);
    } catch (error) {
      // Another driver may work here. A wrong option is a mistake whatever driver is taken.
      if (!isStorageError(error, 'DRIVER_PREREQUISITES')) throw error;
      reasons.push(error);
      continue;
    }
    if (name === 'vfs' && reasons.length > 0) {
      const why = reasons.map(({ message }) => message).join('; ');
      onWarning({
        code: 'DRIVER_FALLBACK',
        message: `using the vfs driver, which copies each layer as a whole, because ${why}`,
        path: graphRoot,
      });
    }
    return driver;
  }
  throw noneWorks(names, reasons, graphRoot);
}

function noneWorks(
  names: readonly string[],
  reasons: readonly StorageError[],
  graphRoot: string,
): StorageError {
  const why = reasons.map(({ message }) => message).join('; ') || 'Sediment has none of them';
  const [first] = reasons;
  return new StorageError('DRIVER_PREREQUISITES', `none of the drivers ${names.join(', ')} works: ${why}`, {
    path: graphRoot,
    cause: first,
    hint: first?.hint ?? 'use "overlay" or "vfs"',
  });
}
