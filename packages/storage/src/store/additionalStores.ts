import { realpathSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { errnoCode, StorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import { type StorageConf, splitDriverOption } from '../conf/index.ts';

const STORE_KEYS = ['imagestore', 'additionalimagestore'];

/**
 * Roots of the additional image stores, in the order of looking: those of generic driver options and of options
 * for `driver`. One that is the store itself would only show everything twice; leaving it out is a warning.
 *
 * @throws {StorageError} `CONFIG_INVALID` for a path that is relative or no directory
 */
export function additionalStoresOf(
  conf: StorageConf,
  driver: string,
  onWarning: WarningHandler,
): readonly string[] {
  const paths = conf.driverOptions
    .map(splitDriverOption)
    .filter((part) => STORE_KEYS.includes(part.key) && (part.driver === '' || part.driver === driver))
    .flatMap(({ value }) => value.split(',').filter((path) => path !== ''));
  const own = [conf.graphRoot, ...(conf.imageStore === undefined ? [] : [conf.imageStore])].map(realPath);
  return [...new Set(paths.map(checked))].filter((path) => {
    if (!own.includes(realPath(path))) return true;
    onWarning({
      code: 'IMAGE_STORE_SKIPPED',
      message: `the additional image store ${path} is the store itself, and was left out`,
      path,
    });
    return false;
  });
}

function checked(text: string): string {
  if (!isAbsolute(text)) {
    throw invalid(text, 'is not absolute.  Can not be relative', 'write the whole path');
  }
  const path = resolve(text);
  const stat = statOf(path);
  if (stat === undefined) throw invalid(path, 'does not exist', 'make it, or remove it from storage.conf');
  if (!stat.isDirectory()) throw invalid(path, 'must be a directory', 'name the graph root of a store');
  return path;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoCode(error) === 'ENOTDIR') return undefined;
    throw wrapSystemError(error, `additionalimagestores: image path "${path}"`, 'CONFIG_INVALID', { path });
  }
}

function invalid(path: string, reason: string, hint: string): StorageError {
  return new StorageError('CONFIG_INVALID', `additionalimagestores: image path "${path}" ${reason}`, {
    object: 'storage.options.additionalimagestores',
    path,
    hint,
  });
}

/** For a root that is still to be made its path will do; what else is wrong with it is said when it is opened. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    return resolve(path);
  }
}
