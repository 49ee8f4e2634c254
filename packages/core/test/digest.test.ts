import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOf, isDigest, layerIdFor, newHasher, newPortableHasher, parseDigest } from '../src/index.ts';

describe('digest', () => {
  it('hashes the official vectors', () => {
    expect(digestOf('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(digestOf('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it.each(['sha256', 'sha384', 'sha512'] as const)('native and portable hashers agree on %s', (algorithm) => {
    for (let length = 0; length < 300; length += 7) {
      const bytes = randomBytes(length);
      const [native, portable] = [newHasher(algorithm), newPortableHasher(algorithm)];
      native.update(bytes.subarray(0, length >> 1));
      native.update(bytes.subarray(length >> 1));
      portable.update(bytes);
      const digest = native.digest();
      expect(digest).toBe(portable.digest());
      expect(digest).toBe(digestOf(bytes, algorithm));
    }
  });

  it.each([
    'sha256:',
    'sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855',
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    'sha256:../../../../etc/passwd',
    `sha256:${'0'.repeat(63)}`,
    `sha256:${'0'.repeat(64)}\n`,
    'constructor:',
    undefined,
    7,
  ])('refuses %j', (text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text, 'layer 1')).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }));
  });

  it('derives layer ids as the Go implementation does', () => {
    const base = parseDigest('sha256:4b12538246615f477f4af548be755eb7ab86d059a21f2b4d2aab296800f84078');
    const child = parseDigest('sha256:56bdf0bbd1f571bf6fb198cf0e62f0fe89b8e798282b61a47c033c8faa5dc8c3');
    const baseId = layerIdFor(undefined, base);
    expect(baseId).toBe('4b12538246615f477f4af548be755eb7ab86d059a21f2b4d2aab296800f84078');
    expect(layerIdFor(baseId, child)).toBe(
      '3a830813cb92f2caed2ade93ab928d10817c89832064e402d239fe4d7862b95b',
    );
  });
});
