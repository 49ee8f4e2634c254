import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import type { Disk } from '../durability/disk.ts';
import { atomicWrite } from '../records/atomicWrite.ts';
import { makePrivateDirectory } from '../store/makePrivateDirectory.ts';
import { removeTempFiles } from '../store/removeTempFiles.ts';

/** The object that an item belongs to, for messages. */
export interface ItemOwner {
  readonly kind: 'image' | 'container' | 'layer';
  readonly id: string;
}

export interface ItemWriting {
  readonly owner: ItemOwner;
  /** Of the item. */
  readonly name: string;
  readonly disk: Disk;
}

/**
 * Writes an item as a whole, with its directory, from which it removes what killed programs left. Call it under
 * the write lock of the owner's kind; the record that names the item is the caller's.
 */
export async function writeItemFile(
  path: string,
  bytes: Uint8Array,
  { owner, name, disk }: ItemWriting,
): Promise<void> {
  try {
    makePrivateDirectory(dirname(path));
    removeTempFiles(dirname(path));
    await atomicWrite(path, bytes, { sync: true });
    await disk.named(path);
  } catch (error) {
    throw wrapSystemError(error, `writing ${name} of ${owner.kind} ${owner.id}`, 'IO', {
      path,
      object: owner.id,
    });
  }
}

/** The bytes of an item; undefined when there is no such file. */
export function readItemFile(path: string, owner: ItemOwner): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw wrapSystemError(error, `reading an item of ${owner.kind} ${owner.id}`, 'IO', {
      path,
      object: owner.id,
    });
  }
}

/**
 * Refuses the empty name, the only one that no item can have.
 *
 * @param doing as upstream says it, such as `set empty name for image big data item`
 * @throws {StorageError} `BIG_DATA_NAME_INVALID`
 */
export function refuseEmptyItemName(name: string, doing: string): void {
  if (name !== '') return;
  throw new StorageError('BIG_DATA_NAME_INVALID', `can't ${doing}: not a valid name for a big data item`, {
    object: name,
    hint: 'give the item a name',
  });
}
