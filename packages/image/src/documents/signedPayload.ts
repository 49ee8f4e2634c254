import * as z from 'zod/mini';

const signedSchema = z.object({
  signatures: z.array(z.object({ protected: z.string() })).check(z.minLength(1)),
});
const protectedSchema = z.object({ formatLength: z.int().check(z.positive()), formatTail: z.string() });

/**
 * The text that the signatures of a manifest of schema 1 are over: what was in front of them and behind them.
 * Its digest is the manifest's. Undefined if the bytes are no such manifest.
 *
 * The signatures themselves are not verified: they never said who signed.
 *
 * Source: distribution's "Image Manifest Version 2, Schema 1", "Signed Manifests".
 */
export function signedPayload(bytes: Uint8Array): Uint8Array | undefined {
  const signed = signedSchema.safeParse(jsonOf(bytes));
  if (!signed.success) return undefined;
  const parts = signed.data.signatures.map((signature) =>
    protectedSchema.safeParse(jsonOf(Buffer.from(signature.protected, 'base64url'))),
  );
  const [first] = parts;
  if (first?.success !== true) return undefined;
  const { formatLength, formatTail } = first.data;
  const isOne = parts.every(
    ({ success, data }) => success && data.formatLength === formatLength && data.formatTail === formatTail,
  );
  if (!isOne || formatLength > bytes.length) return undefined;
  return Buffer.concat([bytes.subarray(0, formatLength), Buffer.from(formatTail, 'base64url')]);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
