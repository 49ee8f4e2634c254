/**
 * Digests: `algorithm:hex` strings, parsed once where they enter the program.
 *
 * Source: OCI image-spec, `descriptor.md` "Digests". `node:crypto` is about 15 times faster
 * than JavaScript for streams, and twice as fast for the few short digests of a command (ids, configs, manifests), for
 * which V8 compiles nothing; hosts without it use `@noble/hashes`.
 */
import { sha256 as nobleSha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { StorageError } from './storageError.ts';

export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';

/** A validated `algorithm:hex` text. Made by {@link parseDigest} and the hash functions only. */
export type Digest = string & { readonly __digest: unique symbol };

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const NOBLE = { sha256: nobleSha256, sha384, sha512 } as const;

/** Whether `text` is a digest in canonical form: known algorithm, lower-case hex of its full length. */
export function isDigest(text: unknown): text is Digest {
  if (typeof text !== 'string') return false;
  const colon = text.indexOf(':');
  const length = HEX_LENGTH[text.slice(0, colon) as DigestAlgorithm];
  return (
    length !== undefined && text.length === colon + 1 + length && /^[0-9a-f]+$/.test(text.slice(colon + 1))
  );
}

/**
 * Checks a digest text that came from outside.
 *
 * @param what names the object the digest belongs to, for the message (`layer 3 of manifest …`)
 * @throws {StorageError} `DIGEST_INVALID`
 */
export function parseDigest(text: unknown, what = 'digest'): Digest {
  if (isDigest(text)) return text;
  throw new StorageError('DIGEST_INVALID', `${what}: ${JSON.stringify(text)} is not a valid digest`, {
    hint: 'a digest looks like "sha256:" followed by 64 lower-case hexadecimal digits',
  });
}

/** The algorithm in front of the colon. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

/** The hexadecimal digits behind the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Hex of the sha256 of a short text (as UTF-8) or of short bytes. */
export function sha256Hex(data: string | Uint8Array): string {
  return digestHex(digestOf(data));
}

/** Digest of short bytes, synchronously; for streams use {@link newHasher}. */
export function digestOf(data: string | Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  const hasher = newHasher(algorithm);
  hasher.update(typeof data === 'string' ? utf8ToBytes(data) : data);
  return hasher.digest();
}

/** A running hash. `update` may be called any number of times, `digest` once, at the end. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Digest;
}

/** A hasher for streams: `node:crypto` where the host has it, `@noble/hashes` elsewhere. */
export function newHasher(algorithm: DigestAlgorithm = 'sha256'): Hasher {
  const crypto = globalThis.process?.getBuiltinModule?.('node:crypto');
  return crypto === undefined ? newPortableHasher(algorithm) : newNativeHasher(crypto, algorithm);
}

function newNativeHasher(crypto: typeof import('node:crypto'), algorithm: DigestAlgorithm): Hasher {
  const hash = crypto.createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${hash.digest('hex')}` as Digest,
  };
}

/** The `@noble/hashes` form of {@link newHasher}; exported so that both can be tested against each other. */
export function newPortableHasher(algorithm: DigestAlgorithm = 'sha256'): Hasher {
  const hash = NOBLE[algorithm].create();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${bytesToHex(hash.digest())}` as Digest,
  };
}

/**
 * The id of an image layer in the store: hex of the DiffID for a base layer, else the sha256 of
 * `<parent layer id>+<hex of DiffID>`. (This is not the OCI chain id, which hashes full digests
 * joined by a space.)
 */
export function layerIdFor(parentId: string | undefined, diffID: Digest): string {
  return parentId === undefined ? digestHex(diffID) : sha256Hex(`${parentId}+${digestHex(diffID)}`);
}
