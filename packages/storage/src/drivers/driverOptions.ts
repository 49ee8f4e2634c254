import { StorageError } from '@sediment/core';
import type { DriverName, DriverOption } from './driver.ts';

/** One option for the driver at hand: `key` in lower case and without a prefix. */
export interface ParsedOption {
  readonly key: string;
  readonly value: string;
  /** As it was given. */
  readonly text: string;
}

/** Drivers of containers/storage, past and present: options for them are not for us, but no mistake. */
const DRIVER_PREFIXES = new Set(['aufs', 'btrfs', 'devicemapper', 'dm', 'overlay', 'overlay2', 'vfs', 'zfs']);

/**
 * The options that concern `driver`: generic ones, and those that name it.
 *
 * @throws {StorageError} `CONFIG_INVALID` without a `=`, `DRIVER_OPTION_UNKNOWN` for an unknown prefix
 */
export function parseDriverOptions(options: readonly DriverOption[], driver: DriverName): ParsedOption[] {
  return options.map((text) => parseOption(text, driver)).filter((option) => option !== undefined);
}

function parseOption(text: string, driver: DriverName): ParsedOption | undefined {
  const equals = text.indexOf('=');
  if (equals < 0) {
    throw new StorageError('CONFIG_INVALID', `storage option ${JSON.stringify(text)} has no "="`, {
      object: text,
      hint: 'write it as "key=value" or "driver.key=value"',
    });
  }
  const fullKey = text.slice(0, equals).trim().toLowerCase();
  const value = text.slice(equals + 1).trim();
  const dot = fullKey.indexOf('.');
  const prefix = dot < 0 ? '' : fullKey.slice(0, dot);
  const option = { key: fullKey.slice(dot + 1), value, text };
  if (prefix === '' || prefix.replace(/^overlay2$/, 'overlay') === driver) return option;
  if (DRIVER_PREFIXES.has(prefix)) return undefined;
  throw unknownOption({ ...option, key: fullKey });
}

export function unknownOption({ key, text }: ParsedOption): StorageError {
  return new StorageError('DRIVER_OPTION_UNKNOWN', `unknown option "${key}" ("${text}")`, {
    object: text,
    hint: 'look for a misspelt key in storage.conf, STORAGE_OPTS and --storage-opt',
  });
}

/** An option that containers/storage has and this driver has not. */
export function unsupportedOption({ key, text }: ParsedOption, hint: string): StorageError {
  return new StorageError('NOT_SUPPORTED', `storage option "${key}" ("${text}") is not supported`, {
    object: text,
    hint,
  });
}

/** @throws {StorageError} `CONFIG_INVALID` for what Go's `strconv.ParseBool` refuses */
export function booleanOption(option: ParsedOption): boolean {
  if (/^(1|t|true|T|TRUE|True)$/.test(option.value)) return true;
  if (/^(0|f|false|F|FALSE|False)$/.test(option.value)) return false;
  throw invalidOption(option, '"true" or "false"');
}

/**
 * Checks `sync`, which decides about the durability of the whole store, and not in the driver.
 *
 * @throws {StorageError} `CONFIG_INVALID`
 */
export function checkSync(option: ParsedOption): void {
  if (option.value === 'none' || option.value === 'filesystem') return;
  throw invalidOption(option, '"none" or "filesystem"');
}

export function invalidOption({ key, value, text }: ParsedOption, expected: string): StorageError {
  return new StorageError(
    'CONFIG_INVALID',
    `storage option "${key}" ("${text}") has the value ${JSON.stringify(value)}`,
    { object: text, expected, actual: value, hint: `it must be ${expected}` },
  );
}
