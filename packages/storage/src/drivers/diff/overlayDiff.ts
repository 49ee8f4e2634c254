import { encodeTarHeader, tarEnd } from '@sediment/codec';
import { LowerLookup } from './lowerLookup.ts';
import { hidesLower, type OwnChanges } from './overlayChanges.ts';
import { TarEntryWriter, type TarEntryWriterOptions, wholeSeconds } from './tarEntryWriter.ts';
import { walkTree } from './walkTree.ts';
import { isWhiteout, opaqueEntry, whiteoutEntry } from './whiteoutEntry.ts';

const PERMISSIONS = 0o777;

/** The content of an overlay layer as a layer archive: whiteouts and opaque marks in the form of the OCI. */
export function* overlayDiff(
  { directory, lowers, opaqueXattr }: OwnChanges,
  options: TarEntryWriterOptions,
): Generator<Uint8Array, void, undefined> {
  const below = new LowerLookup(lowers);
  const writer = new TarEntryWriter(options);
  for (const entry of walkTree(Buffer.from(directory))) {
    const { name, stat } = entry;
    if (isWhiteout(stat)) {
      yield encodeTarHeader(
        whiteoutEntry(name, { ...writer.whiteoutOwner(stat), mtime: wholeSeconds(stat.mtimeNs) }),
      );
      continue;
    }
    const isOpaque = hidesLower(entry, below, opaqueXattr);
    yield* writer.write(entry);
    if (!isOpaque) continue;
    yield encodeTarHeader(opaqueEntry(name, { ...writer.ownerOf(stat), mode: stat.mode & PERMISSIONS }));
  }
  yield tarEnd();
}
