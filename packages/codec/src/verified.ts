import { type Digest, type DigestAlgorithm, digestAlgorithm, newHasher, StorageError } from '@sediment/core';
import { hashInThread } from './hashing/hashThread.ts';

export interface VerifiedOptions {
  readonly digest?: Digest;
  /** Exact length in bytes. */
  readonly size?: number;
  /** Names the stream in error messages. */
  readonly what: string;
}

const THREAD_MIN_BYTES = 8 * 1024 * 1024;

const HINT = 'the content is damaged or was replaced; fetch it again';

/**
 * Passes a stream through and refuses to end unless size and digest agree, so that a consumer that
 * reads to the end has verified bytes. A stream that is too long fails before the excess is passed on.
 *
 * @throws {StorageError} `SIZE_MISMATCH`, `DIGEST_MISMATCH`
 */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  want: VerifiedOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = want.digest === undefined ? undefined : hasherFor(digestAlgorithm(want.digest), want.size);
  try {
    let size = 0;
    for await (const chunk of source) {
      size += chunk.length;
      if (want.size !== undefined && size > want.size) {
        throw sizeMismatch(want.what, want.size, size, 'at least ');
      }
      await hasher?.update(chunk);
      yield chunk;
    }
    if (want.size !== undefined && size !== want.size) throw sizeMismatch(want.what, want.size, size, '');
    const actual = await hasher?.digest();
    if (actual !== want.digest) throw digestMismatch(want.what, want.digest as Digest, actual as Digest);
  } finally {
    hasher?.abandon?.();
  }
}

interface AnyHasher {
  update(bytes: Uint8Array): Promise<void> | void;
  digest(): Promise<Digest> | Digest;
  abandon?(): void;
}

/** A thread is worth its start for a long stream only. */
function hasherFor(algorithm: DigestAlgorithm, size: number | undefined): AnyHasher {
  const inThread = size !== undefined && size >= THREAD_MIN_BYTES ? hashInThread(algorithm) : undefined;
  return inThread ?? newHasher(algorithm);
}

function sizeMismatch(what: string, expected: number, actual: number, prefix: string): StorageError {
  return new StorageError('SIZE_MISMATCH', `${what}: expected ${expected} bytes, got ${prefix}${actual}`, {
    expected,
    actual,
    hint: HINT,
  });
}

function digestMismatch(what: string, expected: Digest, actual: Digest): StorageError {
  return new StorageError(
    'DIGEST_MISMATCH',
    `${what}: Digest did not match, expected ${expected}, got ${actual}`,
    { object: expected, expected, actual, hint: HINT },
  );
}
