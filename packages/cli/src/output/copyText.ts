import type { CopiedAs, CopiedImage } from '@sediment/image';
import { shortId } from './shortId.ts';
import { printable } from './text.ts';

/** How layers came to their place, in the order in which that is told. */
const WORDS: Readonly<Record<CopiedAs, readonly [one: string, several: string]>> = {
  bytes: ['byte copy', 'byte copies'],
  present: ['already there', 'already there'],
  rebuilt: ['rebuilt', 'rebuilt'],
  recompressed: ['recompressed', 'recompressed'],
  decompressed: ['decompressed', 'decompressed'],
  unpacked: ['unpacked', 'unpacked'],
};

/**
 * What became of an image: `Exported 63d6a9f688a0 as oci-archive:app.tar (3 layers: 3 byte copies; manifest unchanged:
 * sha256:…)`.
 *
 * @param verb such as `Copied`, `Exported`
 * @param place where it is now, with the word before it
 */
export function describeCopy(copied: CopiedImage, verb: string, place: string): string {
  const { id, manifestDigest } = copied;
  const what = id === undefined ? `index ${shortId(manifestDigest)}` : shortId(id);
  return `${verb} ${what} ${printable(place)} (${describeLayers(copied)}; ${describeManifest(copied)})`;
}

function describeLayers({ id, layers }: CopiedImage): string {
  const noun = id === undefined ? 'blob' : 'layer';
  if (layers.length === 0) return `no ${noun}s`;
  const parts = Object.entries(WORDS).flatMap(([kind, [one, several]]) => {
    const count = layers.filter(({ copied }) => copied === kind).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : several}`];
  });
  return `${layers.length} ${noun}${layers.length === 1 ? '' : 's'}: ${parts.join(', ')}`;
}

function describeManifest({ manifestDigest, sourceDigest }: CopiedImage): string {
  if (sourceDigest === undefined) return `manifest ${manifestDigest}`;
  return `${sourceDigest === manifestDigest ? 'manifest unchanged:' : 'new manifest'} ${manifestDigest}`;
}
