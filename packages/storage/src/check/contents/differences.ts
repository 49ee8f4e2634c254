import { TAR_TYPE } from '@sediment/codec';
import type { EntryAttributes, EntryType } from './expectedTree.ts';

/** What is not compared, because the way in which layers are stored does not keep it. */
export interface Ignored {
  readonly ownership?: boolean;
  readonly permissions?: boolean;
  readonly timestamps?: boolean;
}

/** One difference between the tree that is there and the expected one. */
export interface Difference {
  /** Inside the layer, with a leading slash; a directory that is there or not as a whole ends with one. */
  readonly path: string;
  /** `+/new`, `-/lost`, `/changed(size:5￫7)`: as containers/storage writes it. */
  readonly text: string;
}

const TYPE_NUMBER: Readonly<Record<EntryType, number>> = {
  file: TAR_TYPE.regular,
  directory: TAR_TYPE.directory,
  symlink: TAR_TYPE.symlink,
  char: TAR_TYPE.charDevice,
  block: TAR_TYPE.blockDevice,
  fifo: TAR_TYPE.fifo,
  // tar has none; as Go's `FileInfoHeader` would have to say
  socket: 0,
};

/**
 * Which attributes differ, in the words of containers/storage (which knows neither targets of symlinks
 * nor devices); empty when none does. An attribute that is not expected is not compared.
 */
export function attributeDifferences(
  expected: EntryAttributes,
  actual: EntryAttributes,
  ignored: Ignored,
): string {
  const found: string[] = [];
  const compare = (
    label: string,
    before: unknown,
    after: unknown,
    format = String as (value: never) => string,
  ) => {
    if (before === undefined || after === undefined || before === after) return;
    found.push(`${label}:${format(before as never)}￫${format(after as never)}`);
  };
  compare('filetype', expected.type, actual.type, (type: EntryType) => String(TYPE_NUMBER[type]));
  if (ignored.ownership !== true) {
    compare('uid', expected.uid, actual.uid);
    compare('gid', expected.gid, actual.gid);
  }
  compare('size', expected.size, actual.size);
  if (ignored.permissions !== true) {
    compare('mode', expected.mode, actual.mode, (mode: number) => mode.toString(8).padStart(4, '0'));
  }
  if (ignored.timestamps !== true) {
    compare('mtime', expected.mtime, actual.mtime, (mtime: number) => `0x${mtime.toString(16)}`);
  }
  compare('target', expected.target?.toString(), actual.target?.toString());
  compare('device', expected.device, actual.device);
  return found.join(',');
}

/** By path, the lost before the new. */
export function compareDifferences(a: Difference, b: Difference): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return Number(b.text.startsWith('-')) - Number(a.text.startsWith('-'));
}
