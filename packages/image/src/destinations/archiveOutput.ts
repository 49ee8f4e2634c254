/**
 * Where the bytes of an archive go. Positions are in bytes from its start. Errors are `StorageError`s:
 * `NO_SPACE`, `PERMISSION_DENIED`, `IO`, `ABORTED`.
 */
export interface ArchiveOutput {
  /** As the user gave it. */
  readonly location: string;
  /** Where the next byte goes. */
  readonly position: number;
  /** Takes bytes, which may be used again at once. They may be on their way for a while: see `flush`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Waits until the bytes are where they go. What went wrong since the last time is thrown here at the latest. */
  flush(): Promise<void>;
  /** What only a file can do; undefined for a pipe, whose bytes are gone once written. */
  readonly revise?: {
    /** Overwrites bytes that were written before. */
    patch(position: number, bytes: Uint8Array): Promise<void>;
    /** Forgets all that was written from there on. */
    truncate(position: number): Promise<void>;
  };
  /** Where a blob can be put aside whose size must be known before it is written. */
  readonly stagingDirectory: string;
  /** Makes the archive visible under its name, or tells the reader of a pipe that it has ended. */
  commit(): Promise<void>;
  /** Without a commit before: removes what was written. May be called twice. */
  close(): Promise<void>;
}
