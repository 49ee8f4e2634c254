import { describe, expect, it } from 'vitest';
import { formatImageReference, parseImageReference } from '../../src/references/imageReference.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

describe('image references', () => {
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
    ['oci:dir:localhost/x:1', { transport: 'oci', path: 'dir', select: { name: 'localhost/x:1' } }],
    ['oci:dir:@0', { transport: 'oci', path: 'dir', select: { index: 0 } }],
    [
      'oci-archive:f.tar:v1--2+b_c',
      { transport: 'oci-archive', path: 'f.tar', select: { name: 'v1--2+b_c' } },
    ],
    ['dir:/some/where:5', { transport: 'dir', path: '/some/where:5' }],
    ['containers-storage:app', { transport: 'containers-storage', name: 'docker.io/library/app:latest' }],
  ])('%s', (text, expected) => {
    expect(parseImageReference(text)).toEqual(expected);
  });

  it('are printed as they are read', () => {
    for (const text of ['oci:dir:a:b', 'oci-archive:f.tar', 'docker-archive:x:@7', 'dir:a/b', 'dir:x:y']) {
      expect(formatImageReference(parseImageReference(text))).toBe(text);
    }
  });

  it('may end their path with a colon that nothing follows in a layout', () => {
    expect(parseImageReference('oci:dir:')).toEqual({ transport: 'oci', path: 'dir' });
  });

  it.each([
    ['', 'REFERENCE_INVALID', 'Invalid image name "", expected colon-separated transport:reference'],
    ['x', 'REFERENCE_INVALID', 'Invalid image name "x", expected colon-separated transport:reference'],
    ['oci:', 'REFERENCE_INVALID', 'the path is missing'],
    ['dir:', 'REFERENCE_INVALID', 'the path is missing'],
    ['docker-archive::name', 'REFERENCE_INVALID', 'the path is missing'],
    ['docker-archive:a.tar:', 'REFERENCE_INVALID', 'invalid reference format'],
    ['docker-archive:a.tar:UPPER', 'REFERENCE_INVALID', 'repository name must be lowercase'],
    [`docker-archive:a.tar:x@sha256:${'0'.repeat(64)}`, 'REFERENCE_INVALID', 'does not support digests'],
    ['docker-archive:a.tar:@x', 'REFERENCE_INVALID', 'invalid source index @x'],
    ['docker-archive:a.tar:@-1', 'REFERENCE_INVALID', 'invalid source index @-1'],
    ['oci:dir:a//b', 'REFERENCE_INVALID', 'Invalid image a//b'],
    ['oci:dir:-x', 'REFERENCE_INVALID', 'Invalid image -x'],
    ['oci:dir:a---b', 'REFERENCE_INVALID', 'Invalid image a---b'],
    ['oci-archive:f.tar:@', 'REFERENCE_INVALID', 'invalid source index @'],
    ['nosuch:x', 'TRANSPORT_UNKNOWN', 'Invalid image name "nosuch:x", unknown transport "nosuch"'],
    ['constructor:x', 'TRANSPORT_UNKNOWN', 'unknown transport "constructor"'],
    ['docker://alpine', 'TRANSPORT_UNSUPPORTED', 'the transport docker is not supported'],
    ['docker-daemon:alpine:3', 'TRANSPORT_UNSUPPORTED', 'the transport docker-daemon is not supported'],
    ['sif:x', 'TRANSPORT_UNSUPPORTED', 'the transport sif is not supported'],
    ['ostree:x@/y', 'TRANSPORT_UNSUPPORTED', 'the transport ostree is not supported'],
  ])('%j is refused with %s', async (text, code, message) => {
    const error = await storageErrorOf(() => parseImageReference(text));
    expect(error.code).toBe(code);
    expect(error.message).toContain(JSON.stringify(text));
    expect(error.message).toContain(message);
    expect(error.hint).toBeTruthy();
  });

  it('of a destination are no positions', async () => {
    for (const text of ['oci:dir:@0', 'docker-archive:f.tar:@1']) {
      const error = await storageErrorOf(() => parseImageReference(text, 'destination'));
      expect(error).toMatchObject({ code: 'REFERENCE_INVALID' });
      expect(error.message).toContain(`Invalid image @`);
    }
  });

  it('say how to get an image from or to a transport that there is not', async () => {
    const hintOf = async (text: string, use: 'source' | 'destination') =>
      (await storageErrorOf(() => parseImageReference(text, use))).hint;
    expect(await hintOf('docker://quay.io/a/b:1', 'source')).toContain(
      'skopeo copy docker://quay.io/a/b:1 oci-archive:',
    );
    expect(await hintOf('docker://quay.io/a/b:1', 'destination')).toContain(
      'skopeo copy oci-archive:image.tar docker://quay.io/a/b:1',
    );
    expect(await hintOf('docker-daemon:a:1', 'source')).toContain('docker save -o image.tar a:1');
    expect(await hintOf('docker-daemon:a:1', 'destination')).toContain('docker load -i image.tar');
  });
});
