import { StorageError } from '@sediment/core';

/** What the store and its drivers call their own files and directories. */
const OWN_NAMES = new Set(['l', 'tmp', 'tempdirs', 'staging', 'backingFsBlockDev']);

/**
 * Refuses an id that cannot name the files of a new object, or that would be taken for a file of the store.
 * Any other text is an id; those that are generated are 64 hexadecimal digits.
 *
 * @throws {StorageError} `ID_INVALID`
 */
export function checkNewId(id: string, kind: 'layer' | 'image' | 'container'): void {
  const isFileName = id !== '' && !id.startsWith('.') && !/[/\0]/.test(id) && Buffer.byteLength(id) <= 200;
  if (isFileName && !OWN_NAMES.has(id) && !/\.(json|lock|gz)$/.test(id)) return;
  throw new StorageError('ID_INVALID', `${JSON.stringify(id)} cannot be the id of a new ${kind}`, {
    object: id,
    hint: 'leave the id to the store, or use letters and digits',
  });
}
