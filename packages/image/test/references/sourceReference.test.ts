import { describe, expect, it } from 'vitest';
import {
  formatSourceReference,
  parseImageSelector,
  parseSourceReference,
} from '../../src/references/sourceReference.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

describe('source references', () => {
  it.each([
    ['docker-archive:a.tar', { transport: 'docker-archive', path: 'a.tar' }],
    [
      'docker-archive:/x/a.tar:foo',
      { transport: 'docker-archive', path: '/x/a.tar', select: { name: 'foo' } },
    ],
    [
      'docker-archive:a.tar:r.io:5/foo:1',
      { transport: 'docker-archive', path: 'a.tar', select: { name: 'r.io:5/foo:1' } },
    ],
    ['docker-archive:a.tar:@3', { transport: 'docker-archive', path: 'a.tar', select: { index: 3 } }],
    ['oci:dir', { transport: 'oci', path: 'dir' }],
    ['oci:dir:', { transport: 'oci', path: 'dir' }],
    ['oci:dir:localhost/x:1', { transport: 'oci', path: 'dir', select: { name: 'localhost/x:1' } }],
    ['oci:dir:@0', { transport: 'oci', path: 'dir', select: { index: 0 } }],
    [
      'oci-archive:f.tar:v1--2+b_c',
      { transport: 'oci-archive', path: 'f.tar', select: { name: 'v1--2+b_c' } },
    ],
    ['./some/path.tar', { path: './some/path.tar' }],
    ['/abs/with:colon', { path: '/abs/with:colon' }],
    ['Image.tar', { path: 'Image.tar' }],
  ])('%s', (text, expected) => {
    expect(parseSourceReference(text)).toEqual(expected);
  });

  it('are printed as they are read', () => {
    for (const text of ['oci:dir:a:b', 'oci-archive:f.tar', 'docker-archive:x:@7', 'plain/path']) {
      expect(formatSourceReference(parseSourceReference(text))).toBe(text);
    }
  });

  it.each([
    ['', 'REFERENCE_INVALID'],
    ['oci:', 'REFERENCE_INVALID'],
    ['docker-archive::name', 'REFERENCE_INVALID'],
    ['docker-archive:a.tar:', 'REFERENCE_INVALID'],
    ['docker-archive:a.tar:UPPER', 'REFERENCE_INVALID'],
    [`docker-archive:a.tar:x@sha256:${'0'.repeat(64)}`, 'REFERENCE_INVALID'],
    ['docker-archive:a.tar:@x', 'REFERENCE_INVALID'],
    ['docker-archive:a.tar:@-1', 'REFERENCE_INVALID'],
    ['oci:dir:a//b', 'REFERENCE_INVALID'],
    ['oci:dir:-x', 'REFERENCE_INVALID'],
    ['oci:dir:a---b', 'REFERENCE_INVALID'],
    ['oci-archive:f.tar:@', 'REFERENCE_INVALID'],
    ['nosuch:x', 'TRANSPORT_UNKNOWN'],
    ['constructor:x', 'TRANSPORT_UNKNOWN'],
    ['app:1', 'TRANSPORT_UNKNOWN'],
    ['dir:/x', 'TRANSPORT_UNSUPPORTED'],
    ['docker://alpine', 'TRANSPORT_UNSUPPORTED'],
    ['docker-daemon:alpine:3', 'TRANSPORT_UNSUPPORTED'],
    ['containers-storage:[overlay@/x]y', 'TRANSPORT_UNSUPPORTED'],
    ['sif:x', 'TRANSPORT_UNSUPPORTED'],
    ['ostree:x@/y', 'TRANSPORT_UNSUPPORTED'],
  ])('%j is refused with %s', async (text, code) => {
    const error = await storageErrorOf(() => parseSourceReference(text));
    expect(error.code).toBe(code);
    expect(error.message).toContain(JSON.stringify(text));
    expect(error.hint).toBeTruthy();
  });

  it('say how to get an image from a transport that is not read', async () => {
    const hintOf = async (text: string) => (await storageErrorOf(() => parseSourceReference(text))).hint;
    expect(await hintOf('docker://quay.io/a/b:1')).toContain(
      'skopeo copy docker://quay.io/a/b:1 oci-archive:',
    );
    expect(await hintOf('docker-daemon:a:1')).toContain('docker save -o image.tar a:1');
    expect(await hintOf('dir:/x/y')).toContain('skopeo copy dir:/x/y oci-archive:');
  });
});

describe('selectors', () => {
  it('are names or positions', () => {
    expect(parseImageSelector('localhost/a:1')).toEqual({ name: 'localhost/a:1' });
    expect(parseImageSelector('@12')).toEqual({ index: 12 });
  });

  it.each(['@', '@1x', '@-1', '@1.5', `@${'9'.repeat(20)}`])('%s is no position', async (text) => {
    expect(await storageErrorOf(() => parseImageSelector(text))).toMatchObject({ code: 'REFERENCE_INVALID' });
  });
});
