import { StorageError } from '@sediment/core';
import { booleanOption, checkSync, type ParsedOption, unknownOption } from '../driverOptions.ts';

export interface VfsOptions {
  readonly ignoreChownErrors: boolean;
}

/**
 * Reads the options of the vfs driver (containers-storage.conf(5), "STORAGE OPTIONS FOR VFS").
 *
 * @throws {StorageError} `DRIVER_OPTION_UNKNOWN`, `NOT_SUPPORTED`, `CONFIG_INVALID`
 */
export function parseVfsOptions(options: readonly ParsedOption[]): VfsOptions {
  let ignoreChownErrors = false;
  for (const option of options) {
    switch (option.key) {
      case 'ignore_chown_errors':
        ignoreChownErrors = booleanOption(option);
        break;
      case 'sync':
        checkSync(option);
        break;
      case 'imagestore':
        // The store knows them: it needs them for its records, too.
        break;
      default:
        refuse(option);
    }
  }
  return { ignoreChownErrors };
}

function refuse(option: ParsedOption): void {
  if (option.key === 'mountopt') throw noMountOptions(option.text);
  throw unknownOption(option);
}

/** Upstream's words for options that have no mount to work on. */
export function noMountOptions(text: string): StorageError {
  return new StorageError('NOT_SUPPORTED', `vfs driver does not support mount options ("${text}")`, {
    object: text,
    hint: 'remove the mount options, or use the overlay driver',
  });
}
