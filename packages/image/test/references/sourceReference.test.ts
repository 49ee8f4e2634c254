import { describe, expect, it } from 'vitest';
import { formatSourceReference, parseSourceReference } from '../../src/references/sourceReference.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

describe('source references', () => {
  it.each(['./some/path.tar', '/abs/with:colon', 'Image.tar', 'docker-archive', 'X:y'])(
    '%s is a path',
    (text) => {
      expect(parseSourceReference(text)).toEqual({ path: text });
      expect(formatSourceReference({ path: text })).toBe(text);
    },
  );

  it.each(['oci:dir:a:b', 'dir:/x', 'containers-storage:app:1'])('%s has a transport', (text) => {
    expect(parseSourceReference(text).transport).toBe(text.slice(0, text.indexOf(':')));
  });

  it('are not empty', async () => {
    expect(await storageErrorOf(() => parseSourceReference(''))).toMatchObject({ code: 'REFERENCE_INVALID' });
  });

  it('with an unknown transport are no paths', async () => {
    expect(await storageErrorOf(() => parseSourceReference('app:1'))).toMatchObject({
      code: 'TRANSPORT_UNKNOWN',
      hint: expect.stringContaining('a path with a colon must exist'),
    });
  });
});
