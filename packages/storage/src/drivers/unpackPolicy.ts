/**
 * How the entries of a layer tar become files, which differs between drivers (the reasons are in the
 * drivers): an overlay tree holds one layer and the kernel merges, a vfs tree holds all of them.
 */
export interface UnpackPolicy {
  /**
   * `overlay`: `.wh.x` becomes a character device 0:0 named `x`, an opaque marker an xattr.
   * `apply`: both delete what they hide from the tree, which starts as the parent's copy.
   */
  readonly whiteouts: 'overlay' | 'apply';
  /** The xattr (value `y`) of an opaque directory; only with `whiteouts: 'overlay'`. */
  readonly opaqueXattr: 'trusted.overlay.opaque' | 'user.overlay.opaque';
  /** Whether an entry for the root directory itself sets the root's mode, owner and xattrs. */
  readonly applyRootEntry: boolean;
  /** Mode of directories that entries need but the tar does not have. */
  readonly parentMode: number;
  /** Go on, with a warning, when an owner cannot be set. */
  readonly ignoreChownErrors: boolean;
}
