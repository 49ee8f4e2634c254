import type { ConfKey } from './confKeys.ts';
import type { ConfValues } from './confValues.ts';

/** Keys that become driver options, in upstream's order: generic ones first, then by driver. */
const OPTION_KEYS = [
  ['imagestore', 'storage.options.additionalimagestores'],
  ['additionallayerstore', 'storage.options.additionallayerstores'],
  ['size', 'storage.options.size'],
  ['mount_program', 'storage.options.mount_program'],
  ['skip_mount_home', 'storage.options.skip_mount_home'],
  ['ignore_chown_errors', 'storage.options.ignore_chown_errors'],
  ['force_mask', 'storage.options.force_mask'],
  ['mountopt', 'storage.options.mountopt'],
  ...byDriver('btrfs', ['min_space', 'size']),
  ...byDriver('overlay', [
    'ignore_chown_errors',
    'mount_program',
    'mountopt',
    'size',
    'inodes',
    'skip_mount_home',
    'force_mask',
    'use_composefs',
    'sync',
  ]),
  ...byDriver('vfs', ['ignore_chown_errors', 'sync']),
  ...byDriver('zfs', ['fsname', 'mountopt', 'size']),
] as ReadonlyArray<readonly [string, ConfKey]>;

function byDriver(driver: string, keys: readonly string[]): Array<[string, string]> {
  return keys.map((key) => [`${driver}.${key}`, `storage.options.${driver}.${key}`]);
}

/** Whether a key only serves to make a driver option. */
export function isDriverOptionKey(key: ConfKey): boolean {
  return OPTION_KEYS.some(([, known]) => known === key);
}

/** The driver options that the configuration files ask for; empty values ask for nothing. */
export function driverOptionsOf(values: ConfValues): string[] {
  return OPTION_KEYS.flatMap(([name, key]) => optionValues(values, key).map((value) => `${name}=${value}`));
}

function optionValues(values: ConfValues, key: ConfKey): readonly string[] {
  const value = values.get(key)?.value;
  if (Array.isArray(value)) return value;
  // An octal mode, as the driver reads it.
  if (typeof value === 'number') return value === 0 ? [] : [value.toString(8)];
  return typeof value === 'string' && value !== '' ? [value] : [];
}

export interface OptionParts {
  /** In front of the dot, lower case; empty for a generic option. */
  readonly driver: string;
  readonly key: string;
  readonly value: string;
}

/** Parts of `[driver.]key=value`; without a `=` the value is empty. */
export function splitDriverOption(option: string): OptionParts {
  const equals = option.indexOf('=');
  const name = (equals < 0 ? option : option.slice(0, equals)).trim().toLowerCase();
  const value = equals < 0 ? '' : option.slice(equals + 1).trim();
  const dot = name.indexOf('.');
  return dot < 0
    ? { driver: '', key: name, value }
    : { driver: name.slice(0, dot), key: name.slice(dot + 1), value };
}
