import { describe, expect, it } from 'vitest';
import {
  formatImageName,
  normalizeLocalName,
  normalizeName,
  parseImageName,
} from '../../src/references/imageName.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('names completed by Docker’s rule', () => {
  it.each([
    ['foo', 'docker.io/library/foo:latest'],
    ['foo:1', 'docker.io/library/foo:1'],
    ['foo:5000', 'docker.io/library/foo:5000'],
    ['team/foo', 'docker.io/team/foo:latest'],
    ['docker.io/foo', 'docker.io/library/foo:latest'],
    ['index.docker.io/foo:2', 'docker.io/library/foo:2'],
    ['localhost/foo', 'localhost/foo:latest'],
    ['localhost:5000/foo', 'localhost:5000/foo:latest'],
    ['quay.io/a/b/c:v1.2_x-3', 'quay.io/a/b/c:v1.2_x-3'],
    ['127.0.0.1:5000/r:1', '127.0.0.1:5000/r:1'],
    ['[::1]:5000/r', '[::1]:5000/r:latest'],
    ['a__b/c-d--e.f', 'docker.io/a__b/c-d--e.f:latest'],
    ['Registry/foo', 'Registry/foo:latest'],
    [`foo@${DIGEST}`, `docker.io/library/foo@${DIGEST}`],
    [`quay.io/foo:1@${DIGEST}`, `quay.io/foo:1@${DIGEST}`],
  ])('%s → %s', (text, expected) => {
    expect(normalizeName(text)).toBe(expected);
    expect(formatImageName(parseImageName(expected))).toBe(expected);
  });
});

describe('names completed by podman’s rule', () => {
  it.each([
    ['foo', 'localhost/foo:latest'],
    ['foo:1', 'localhost/foo:1'],
    ['a/b:1', 'localhost/a/b:1'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['docker.io/alpine:3', 'docker.io/library/alpine:3'],
    ['localhost/q', 'localhost/q:latest'],
    ['x.y/z/w:1', 'x.y/z/w:1'],
  ])('%s → %s', (text, expected) => {
    expect(normalizeLocalName(text)).toBe(expected);
  });

  it('refuses a digest, which cannot be given', async () => {
    for (const text of [`foo@${DIGEST}`, `quay.io/foo@${DIGEST}`]) {
      const error = await storageErrorOf(() => normalizeLocalName(text));
      expect(error).toMatchObject({ code: 'REFERENCE_INVALID', facts: { object: text } });
    }
  });
});

describe('malformed names', () => {
  it.each([
    ['UPPER', 'repository name must be lowercase'],
    ['quay.io/Upper:1', 'repository name must be lowercase'],
    ['', 'invalid reference format'],
    ['foo:', 'invalid tag'],
    [`foo:${'x'.repeat(129)}`, 'invalid tag'],
    ['foo:-x', 'invalid tag'],
    ['foo bar', 'invalid reference format'],
    ['/foo', 'invalid reference format'],
    ['foo//bar', 'invalid reference format'],
    ['foo/', 'invalid reference format'],
    ['a..b', 'invalid reference format'],
    ['../../etc', 'invalid reference format'],
    ['-foo', 'invalid reference format'],
    ['foo\n', 'invalid reference format'],
    ['-x.y/foo', 'invalid reference format'],
    ['foo@sha256:abc', 'invalid digest'],
    ['foo@', 'invalid digest'],
    ['ab'.repeat(32), '64-byte hexadecimal'],
    [`x.y/${'a/'.repeat(130)}b`, 'more than 255 characters'],
  ])('%j: %s', async (text, reason) => {
    const error = await storageErrorOf(() => parseImageName(text));
    expect(error.code).toBe('REFERENCE_INVALID');
    expect(error.message).toContain(reason);
    expect(error.facts.object).toBe(text);
    expect(error.hint).toBeTruthy();
  });
});
