import { StorageError } from '@sediment/core';
import { booleanOption, invalidOption, type ParsedOption, unknownOption } from '../driverOptions.ts';

export interface VfsOptions {
  readonly ignoreChownErrors: boolean;
  /** Bring a layer's files to the disk before it becomes part of the store. */
  readonly sync: boolean;
}

/**
 * Reads the options of the vfs driver (containers-storage.conf(5), "STORAGE OPTIONS FOR VFS").
 *
 * @throws {StorageError} `DRIVER_OPTION_UNKNOWN`, `NOT_SUPPORTED`, `CONFIG_INVALID`
 */
export function parseVfsOptions(options: readonly ParsedOption[]): VfsOptions {
  let ignoreChownErrors = false;
  let sync = false;
  for (const option of options) {
    switch (option.key) {
      case 'ignore_chown_errors':
        ignoreChownErrors = booleanOption(option);
        break;
      case 'sync':
        if (option.value !== 'none' && option.value !== 'filesystem') {
          throw invalidOption(option, '"none" or "filesystem"');
        }
        sync = option.value === 'filesystem';
        break;
      case 'imagestore':
        // The store knows them: it needs them for its records, too.
        break;
      default:
        refuse(option);
    }
  }
  return { ignoreChownErrors, sync };
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
