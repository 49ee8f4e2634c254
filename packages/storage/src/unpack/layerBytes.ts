import type { Digest } from '@sediment/core';

/** The bytes of one layer as they came, read once and hashed on the way. */
export interface LayerBytes {
  /** Bytes read so far. */
  readonly size: number;
  /** Chunks in order; each is valid until the next one is asked for. */
  blocks(): AsyncIterable<Uint8Array>;
  /** From the next block on, bytes are read into what `output` offers, if it does. Absent where somebody else reads them. */
  readInto?(output: () => Buffer | undefined): void;
  /** Reads and hashes what {@link blocks} has not given yet; the digest of all. Call once, last. */
  digest(): Promise<Digest>;
  close(): void;
}
