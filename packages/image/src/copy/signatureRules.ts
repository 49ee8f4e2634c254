import { StorageError } from '@sediment/core';
import type { CopySession } from './copySession.ts';

/**
 * The signatures that go with an image: none if they are to be left behind.
 *
 * @throws {StorageError} `SIGNATURES_UNSUPPORTED`
 */
export function signaturesToCopy(
  { destination, plan }: CopySession,
  signatures: readonly Uint8Array[],
): readonly Uint8Array[] {
  if (plan.removeSignatures === true || signatures.length === 0) return [];
  if (destination.limits.signatures) return signatures;
  const place = `${destination.transport}:${destination.location}`;
  throw new StorageError(
    'SIGNATURES_UNSUPPORTED',
    `Can not copy signatures to ${place}: it cannot hold them`,
    {
      object: place,
      hint: 'leave them behind with --remove-signatures, or copy to dir or containers-storage',
    },
  );
}

/** Signatures are of the manifest's bytes, and worth nothing for others. */
export function signaturesOfChanged(
  { plan }: CopySession,
  signatures: readonly Uint8Array[],
  what: string,
): readonly Uint8Array[] {
  if (signatures.length > 0) {
    plan.onWarning?.({
      code: 'SIGNATURES_DROPPED',
      message: `${signatures.length} signature(s) of ${what} are left behind, as its manifest changes`,
      object: what,
    });
  }
  return [];
}
