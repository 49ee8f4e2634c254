import { StorageError } from '@sediment/core';

const DAMAGED = 'the archive is damaged or not a tar; fetch or build it again';

/** Where a reader is in a tar stream; makes the errors that name that place. */
export class TarPosition {
  /** Names the stream in messages (`layer 2 (sha256:…)`). */
  readonly what: string;
  /** Offset of the header block that is being read. */
  offset = 0;

  constructor(what: string) {
    this.what = what;
  }

  invalid(detail: string, hint: string = DAMAGED): StorageError {
    return new StorageError(
      'TAR_INVALID',
      `${this.what}: invalid tar header at offset ${this.offset}: ${detail}`,
      { offset: this.offset, hint },
    );
  }

  truncated(detail: string, end: number): StorageError {
    return new StorageError(
      'TAR_TRUNCATED',
      `${this.what}: unexpected end of tar at offset ${end}: ${detail}`,
      {
        offset: end,
        hint: 'the archive was cut off; fetch or build it again',
      },
    );
  }
}
