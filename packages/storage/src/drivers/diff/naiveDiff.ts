import { encodeTarHeader, tarEnd } from '@sediment/codec';
import { AT_FDCWD, fstatatIfExists } from '@sediment/posix';
import type { TreeChange } from './change.ts';
import { TarEntryWriter, type TarEntryWriterOptions } from './tarEntryWriter.ts';
import { isDirectory, walkTree } from './walkTree.ts';
import { whiteoutEntry } from './whiteoutEntry.ts';

/** A layer archive of what differs between two trees: new content, and whiteouts for what is gone. */
export function* changesDiff(
  root: Buffer,
  changes: readonly TreeChange[],
  options: TarEntryWriterOptions,
): Generator<Uint8Array, void, undefined> {
  const writer = new TarEntryWriter(options);
  for (const { path, kind } of changes) {
    const name = path.subarray(1);
    if (kind === 'delete') {
      yield encodeTarHeader(whiteoutEntry(name, { uid: 0, gid: 0, mtime: Math.round(Date.now() / 1000) }));
      continue;
    }
    const full = Buffer.concat([root, path]);
    const stat = fstatatIfExists(AT_FDCWD, full);
    if (stat !== undefined) yield* writer.write({ name, path: full, stat });
  }
  yield tarEnd();
}

/** A layer archive of a whole tree, for what stands on nothing. */
export function* treeDiff(
  root: Buffer,
  options: TarEntryWriterOptions,
): Generator<Uint8Array, void, undefined> {
  const writer = new TarEntryWriter(options);
  for (const entry of walkTree(root)) yield* writer.write(entry);
  yield tarEnd();
}

/** Bytes of what was added or changed: each file once, whatever names it has, and directories not at all. */
export function changesSize(root: Buffer, changes: readonly TreeChange[]): number {
  const seen = new Set<string>();
  let size = 0;
  for (const { path, kind } of changes) {
    if (kind === 'delete') continue;
    const stat = fstatatIfExists(AT_FDCWD, Buffer.concat([root, path]));
    if (stat === undefined || isDirectory(stat)) continue;
    const key = `${stat.dev}:${stat.ino}`;
    if (stat.nlink > 1 && seen.has(key)) continue;
    seen.add(key);
    size += stat.size;
  }
  return size;
}

/** Bytes of the files below a directory: each file once, directories not at all. */
export function treeSize(root: Buffer): number {
  const seen = new Set<string>();
  let size = 0;
  for (const { stat } of walkTree(root)) {
    const key = `${stat.dev}:${stat.ino}`;
    if (isDirectory(stat) || seen.has(key)) continue;
    seen.add(key);
    size += stat.size;
  }
  return size;
}
