/**
 * Names that mean deletion (image-spec, `layer.md` "Whiteouts"), and those that the AUFS driver of
 * early Docker left in layers.
 */
const PREFIX = Buffer.from('.wh.');
const OPAQUE_MARKER = Buffer.from('.wh..wh..opq');
const AUFS_METADATA = Buffer.from('.wh..wh.');
const AUFS_LINKS = Buffer.from('.wh..wh.plnk');
const DOT = 0x2e;
const W = 0x77;

/** Whether a last component is a whiteout or an opaque marker. */
export function isWhiteoutName(base: Buffer): boolean {
  return base[0] === DOT && base[1] === W && startsWith(base, PREFIX);
}

/** Whether a last component marks its directory as hiding what is below. */
export function isOpaqueMarker(base: Buffer): boolean {
  return base.equals(OPAQUE_MARKER);
}

/** The name that a whiteout deletes; undefined when that would be the directory itself or its parent. */
export function whiteoutTarget(base: Buffer): Buffer | undefined {
  const target = base.subarray(PREFIX.length);
  const dots = target.length <= 2 && target.every((byte) => byte === DOT);
  return dots ? undefined : target;
}

/** Whether a cleaned path is bookkeeping of AUFS, which stood in the root only. */
export function isAufsMetadata(clean: Buffer): boolean {
  return clean[0] === DOT && startsWith(clean, AUFS_METADATA);
}

/** Whether a cleaned path lies in the directory where AUFS kept files with several hard links. */
export function isAufsLink(clean: Buffer): boolean {
  return clean[0] === DOT && startsWith(clean, AUFS_LINKS);
}

function startsWith(name: Buffer, prefix: Buffer): boolean {
  return name.length >= prefix.length && prefix.compare(name, 0, prefix.length) === 0;
}
