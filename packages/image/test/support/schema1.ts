import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestHex, digestOf } from '@sediment/core';

/** The gzip of an empty tar that Docker gives to steps which change no file. */
export const EMPTY_GZIP = Buffer.from('H4sIAAAJbogA/2IYBaNgFIxYAAgAAP//Lq+17wAEAAA=', 'base64');

export interface Schema1Step {
  /** The uncompressed layer; absent for a step that changes no file. */
  readonly layer?: Uint8Array;
  /** Further fields of the `v1Compatibility` text. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A manifest of schema 1, steps base first, and its blobs by digest. */
export function schema1Image(steps: readonly Schema1Step[], overrides: Record<string, unknown> = {}) {
  const blobs = new Map<string, Buffer>();
  const ids = steps.map((_, i) => String(i + 1).padStart(64, '0'));
  const entries = steps.map(({ layer, fields = {} }, i) => {
    const blob = layer === undefined ? EMPTY_GZIP : gzipSync(layer);
    blobs.set(digestOf(blob), blob);
    const v1 = {
      id: ids[i],
      ...(i === 0 ? {} : { parent: ids[i - 1] }),
      created: `2016-01-0${i + 1}T00:00:00Z`,
      container_config: { Cmd: ['/bin/sh', '-c', `step ${i}`] },
      ...(layer === undefined ? { throwaway: true } : {}),
      ...fields,
    };
    return { blobSum: digestOf(blob), v1Compatibility: JSON.stringify(v1) };
  });
  entries.reverse();
  const manifest = {
    schemaVersion: 1,
    name: 'library/old',
    tag: 'latest',
    architecture: 'amd64',
    fsLayers: entries.map(({ blobSum }) => ({ blobSum })),
    history: entries.map(({ v1Compatibility }) => ({ v1Compatibility })),
    ...overrides,
  };
  return { manifest: Buffer.from(JSON.stringify(manifest, null, 3)), blobs };
}

/** Signs a manifest of schema 1 in the way of Docker: the signature tells where to cut the text. */
export function signedManifest(manifest: Buffer): Buffer {
  const tail = '\n}';
  const head = manifest.toString().slice(0, -tail.length);
  const header = { formatLength: head.length, formatTail: base64url(tail), time: '2016-01-01T00:00:00Z' };
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const protectedPart = base64url(JSON.stringify(header));
  const signature = sign('sha256', Buffer.from(`${protectedPart}.${base64url(manifest)}`), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  const block = {
    header: {
      jwk: { crv, kid: keyId(publicKey.export({ format: 'der', type: 'spki' })), kty, x, y },
      alg: 'ES256',
    },
    signature: signature.toString('base64url'),
    protected: protectedPart,
  };
  return Buffer.from(`${head},\n   "signatures": [${JSON.stringify(block)}]${tail}`);
}

/** Writes an image in skopeo's `dir` form. */
export function writeDir(
  directory: string,
  manifest: Uint8Array,
  blobs: ReadonlyMap<string, Uint8Array>,
): string {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'version'), 'Directory Transport Version: 1.1\n');
  writeFileSync(join(directory, 'manifest.json'), manifest);
  for (const [digest, bytes] of blobs)
    writeFileSync(join(directory, digest.slice(digest.indexOf(':') + 1)), bytes);
  return directory;
}

function base64url(text: string | Buffer): string {
  return Buffer.from(text).toString('base64url');
}

/** libtrust's name of a key: 240 bits of its hash in groups of base 32. */
function keyId(der: Buffer): string {
  const hash = Buffer.from(digestHex(digestOf(der)), 'hex').subarray(0, 30);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const byte of hash) bits += byte.toString(2).padStart(8, '0');
  const text = (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('');
  return (text.match(/.{4}/g) ?? []).join(':');
}
