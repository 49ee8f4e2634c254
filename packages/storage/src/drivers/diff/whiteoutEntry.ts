import type { NewTarEntry } from '@sediment/codec';
import { TAR_TYPE } from '@sediment/codec';
import { type PosixStat, S_IFCHR, S_IFMT } from '@sediment/posix';

const PREFIX = Buffer.from('.wh.');
const OPAQUE = Buffer.from('/.wh..wh..opq');
const SLASH = 0x2f;

/** Whether a file of an overlay layer stands for a deleted name. */
export function isWhiteout({ mode, rdev }: PosixStat): boolean {
  return (mode & S_IFMT) === S_IFCHR && rdev === 0;
}

/** The empty file that says in a layer archive that `name` was deleted (image-spec, `layer.md`). */
export function whiteoutEntry(name: Buffer, facts: Pick<NewTarEntry, 'uid' | 'gid' | 'mtime'>): NewTarEntry {
  const start = name.lastIndexOf(SLASH) + 1;
  const path = Buffer.concat([name.subarray(0, start), PREFIX, name.subarray(start)]);
  return { name: path, typeflag: TAR_TYPE.regular, mode: 0, ...facts };
}

/** The empty file that says that nothing below a directory is left of what lower layers have there. */
export function opaqueEntry(
  directory: Buffer,
  facts: Pick<NewTarEntry, 'uid' | 'gid' | 'mode'>,
): NewTarEntry {
  const name = Buffer.concat([directory, OPAQUE]);
  return { name, typeflag: TAR_TYPE.regular, mtime: 0, ...facts };
}
