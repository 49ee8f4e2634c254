import { type Digest, digestAlgorithm, newHasher, StorageError } from '@sediment/core';

export interface VerifiedOptions {
  readonly digest?: Digest;
  /** Exact length in bytes. */
  readonly size?: number;
  /** Names the stream in error messages. */
  readonly what: string;
}

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
  const hasher = want.digest === undefined ? undefined : newHasher(digestAlgorithm(want.digest));
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (want.size !== undefined && size > want.size) {
      throw sizeMismatch(want.what, want.size, size, 'at least ');
    }
    hasher?.update(chunk);
    yield chunk;
  }
  if (want.size !== undefined && size !== want.size) throw sizeMismatch(want.what, want.size, size, '');
  const actual = hasher?.digest();
  if (actual !== want.digest) throw digestMismatch(want.what, want.digest as Digest, actual as Digest);
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
