import {
  booleanOption,
  checkSync,
  type ParsedOption,
  unknownOption,
  unsupportedOption,
} from '../driverOptions.ts';

export interface OverlayOptions {
  /** Options for every mount without own ones, split at the commas. */
  readonly mountOptions: readonly string[];
  /** The same as it was written: the names of cached probe results contain it. */
  readonly mountOptionText: string;
  /** Do not make the home a private mount. */
  readonly skipMountHome: boolean;
  readonly ignoreChownErrors: boolean;
  /** A program that other programs mount with; empty if none is configured. */
  readonly mountProgram: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const UNSUPPORTED: Readonly<Record<string, string>> = {
  force_mask: 'remove the setting: it only works with a mount program',
  size: 'remove the setting: Sediment sets no quotas',
  inodes: 'remove the setting: Sediment sets no quotas',
  use_composefs: 'remove the setting: Sediment keeps layers as plain files',
  additionallayerstore: 'remove the setting: Sediment unpacks layers itself',
};

/**
 * Reads the options of the overlay driver (containers-storage.conf(5), "STORAGE OPTIONS FOR OVERLAY").
 *
 * @throws {StorageError} `DRIVER_OPTION_UNKNOWN`, `NOT_SUPPORTED`, `CONFIG_INVALID`
 */
export function parseOverlayOptions(options: readonly ParsedOption[]): OverlayOptions {
  const result: Mutable<OverlayOptions> = {
    mountOptions: [],
    mountOptionText: '',
    skipMountHome: false,
    ignoreChownErrors: false,
    mountProgram: '',
  };
  for (const option of options) applyOption(result, option);
  return result;
}

function applyOption(result: Mutable<OverlayOptions>, option: ParsedOption): void {
  switch (option.key) {
    case 'mountopt':
      result.mountOptionText = option.value;
      result.mountOptions = option.value.split(',').filter((word) => word !== '');
      return;
    case 'skip_mount_home':
      result.skipMountHome = booleanOption(option);
      return;
    case 'ignore_chown_errors':
      result.ignoreChownErrors = booleanOption(option);
      return;
    case 'mount_program':
      result.mountProgram = option.value;
      return;
    case 'sync':
      checkSync(option);
      return;
    case 'imagestore':
    case 'additionalimagestore':
      // The store knows them: it needs them for its records, too.
      return;
    case 'override_kernel_check':
      // Of the time when overlay was new; every program accepts and ignores it.
      return;
    default:
      refuse(option);
  }
}

function refuse(option: ParsedOption): void {
  const hint = Object.hasOwn(UNSUPPORTED, option.key) ? UNSUPPORTED[option.key] : undefined;
  if (hint === undefined) throw unknownOption(option);
  if (asksForNothing(option)) return;
  throw unsupportedOption(option, hint);
}

function asksForNothing(option: ParsedOption): boolean {
  if (option.value === '') return true;
  if (option.key === 'use_composefs') return !booleanOption(option);
  return (option.key === 'size' || option.key === 'inodes') && /^0+$/.test(option.value);
}
