import { ERROR_CODES, type ErrorCode } from './errorCodes.ts';

/** Facts about a failure. Every field is optional; unknown facts are left out, never made up. */
export interface ErrorFacts {
  /** The id, name or digest of the object. */
  readonly object?: string;
  /** Name of a big data item of the object. */
  readonly item?: string;
  readonly path?: string;
  readonly expected?: string | number;
  readonly actual?: string | number;
  /** Byte offset in a file or stream where the damage was seen. */
  readonly offset?: number;
  /** Of a system error: symbolic error (`ENOSPC`), number and call. */
  readonly errno?: number;
  readonly syscall?: string;
  readonly errnoCode?: string;
  /** Ids of the objects that stand in the way (containers that use an image, child layers). */
  readonly usedBy?: readonly string[];
}

export interface StorageErrorOptions extends ErrorFacts {
  /** What a person can do next. One sentence, no final full stop. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Plain form of a {@link StorageError}, for crossing threads and `--format json`. */
export interface StorageErrorJson {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly facts: ErrorFacts;
}

/**
 * The error of every Sediment package. Test `code`, never the message. Misuse of an API by the
 * program is a plain `TypeError` or `RangeError` instead.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, options: StorageErrorOptions = {}) {
    const { hint, cause, ...facts } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.facts = facts;
  }

  toJSON(): StorageErrorJson {
    const hint = this.hint === undefined ? {} : { hint: this.hint };
    return { code: this.code, message: this.message, ...hint, facts: this.facts };
  }

  static fromJSON(json: StorageErrorJson, cause?: unknown): StorageError {
    const hint = json.hint === undefined ? {} : { hint: json.hint };
    return new StorageError(json.code, json.message, { ...json.facts, ...hint, cause });
  }
}

/** Whether `error` is a {@link StorageError}, of the given code if one is named. */
export function isStorageError(error: unknown, code?: ErrorCode): error is StorageError {
  return error instanceof StorageError && (code === undefined || error.code === code);
}

/** The standard meaning of a code, in upstream's words where upstream has the same error. */
export function describeErrorCode(code: ErrorCode): string {
  return ERROR_CODES[code];
}
