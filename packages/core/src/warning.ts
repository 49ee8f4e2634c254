/** Codes of things that went on, but differently from what was asked. API, like error codes. */
export const WARNING_CODES = {
  CONFIG_KEY_UNKNOWN: 'storage.conf has a key that is not known',
  CONFIG_KEY_DEPRECATED: 'storage.conf has a key or value of an older form',
  DRIVER_FALLBACK: 'another storage driver than the preferred one was chosen',
  LOCK_FALLBACK: 'fcntl locks cannot be used here: other programs are not kept out',
  SINGLE_ID_MAP: 'the user has no subordinate ids: only the own files can be made',
  IMAGE_STORE_SKIPPED: 'an additional image store was left out',
  MOUNT_PROGRAM_UNUSED: 'the kernel mounts overlay, and not the program that is configured for it',
  SNAPSHOT_MODE: 'the store is read without locks',
  CHOWN_IGNORED: 'the owner of an entry could not be set and was ignored as configured',
  XATTR_SKIPPED: 'an extended attribute is not supported by the file system and was skipped',
  ENTRY_SKIPPED: 'a file has no place in a diff, or vanished, and was left out',
  DEVICE_SKIPPED: 'a device node cannot be made here and was skipped',
  NAME_TAKEN: 'a name was taken from another object',
  PLATFORM_MISMATCH: 'the image is for another platform than this one',
  DEBRIS_LEFT: 'temporary files could not be deleted',
  DEBRIS_REMOVED: 'left-overs of an interrupted program were removed',
  MOUNT_NOT_ANNOUNCED: 'other programs could not be told that a mount of the store is gone',
  LINKS_REPAIRED: 'lost short links of overlay layers were made again',
  INCOMPLETE_LAYER_REMOVED: 'an incomplete layer was removed',
  DUPLICATE_NAME_REPAIRED: 'two records had one name; the earlier one lost it',
  CHECK_SKIPPED: 'a part of a check could not be done',
  DEDUP_SKIPPED: 'files could not be deduplicated',
  ARTIFACT_SKIPPED: 'an artifact beside the images was left out',
  KEPT_INDEX_REBUILT: 'a list of the kept blobs was lost or damaged, and made anew',
  BLOB_CACHE_OFF: 'the cache of what is known about blobs cannot be used',
  SIGNATURES_DROPPED: 'signatures were left behind, as the manifest of the image changes',
  BLOBS_NOT_KEPT: 'the blobs of an image cannot be kept, as the store is set to do',
  KEPT_BLOB_DAMAGED: 'a layer was made anew, as its kept blob is damaged',
  KEPT_BLOBS_STALE: 'the kept blobs could not follow a change of the store',
  FEATURE_UNKNOWN: 'what the storage driver can do here could not be found out, or not be remembered',
  MEDIA_TYPE_UNKNOWN: 'a media type is not known',
} as const satisfies Record<string, string>;

export type WarningCode = keyof typeof WARNING_CODES;

export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
  readonly object?: string;
  readonly path?: string;
}

/** Receives warnings as they happen; must not throw. */
export type WarningHandler = (warning: Warning) => void;
