/** How files that may be equal are found; whether they are is for the kernel to say. */
export const DEDUP_HASHES = ['crc', 'size', 'sha256'] as const;

export type DedupHash = (typeof DEDUP_HASHES)[number];

export interface DedupOptions {
  /** `crc` (CRC-64 of the content, the default), `size` (of the file, reads nothing), or `sha256`. */
  readonly hash?: DedupHash;
  readonly signal?: AbortSignal;
}

export interface DedupResult {
  /** Bytes that are stored once instead of twice; those that were shared before count, too. */
  readonly bytes: number;
}
