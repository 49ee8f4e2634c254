import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/references/imageReference.ts';
import { formatStoreReference, parseStoreReference } from '../../src/references/storeReference.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const ID = '0123456789abcdef'.repeat(4);
const DIGEST = `sha256:${ID}`;

const parse = (rest: string) => {
  const { transport, ...parts } = parseStoreReference(`containers-storage:${rest}`, rest);
  return parts;
};

describe('the image in references to a store', () => {
  it.each([
    ['app:1', { name: 'docker.io/library/app:1' }],
    ['app', { name: 'docker.io/library/app:latest' }],
    ['r.io:5000/team/app', { name: 'r.io:5000/team/app:latest' }],
    ['ab', { name: 'docker.io/library/ab:latest' }],
    ['abc', { text: 'abc' }],
    ['abc:1', { name: 'docker.io/library/abc:1' }],
    [ID, { text: ID }],
    [`app@${DIGEST}`, { name: 'docker.io/library/app', digest: DIGEST }],
    [`app:1@${DIGEST}`, { name: 'docker.io/library/app:1', digest: DIGEST }],
    [`@${ID}`, { id: ID }],
    ['@012', { id: '012' }],
    [`app@${ID}`, { name: 'docker.io/library/app:latest', id: ID }],
    ['abc@012', { name: 'docker.io/library/abc:latest', id: '012' }],
    [`app@${DIGEST}@${ID}`, { name: 'docker.io/library/app', digest: DIGEST, id: ID }],
  ])('%s', (rest, expected) => {
    expect(parse(rest)).toEqual(expected);
  });

  it.each([
    ['', 'empty reference'],
    ['UPPER', 'parsing named reference "UPPER": invalid reference format: repository name must be lowercase'],
    ['app@', 'empty trailing digest or ID'],
    ['app@xyz', '"xyz" does not look like an image ID or digest: invalid reference'],
    ['app@01', '"01" does not look like an image ID or digest'],
    [`@${DIGEST}`, 'invalid reference format'],
    [`@${ID}0`, 'does not look like an image ID or digest'],
    ['a b', 'invalid reference format'],
    [`${ID}@${ID}`, 'cannot specify 64-byte hexadecimal strings'],
  ])('%j is refused', async (rest, message) => {
    const error = await storageErrorOf(() => parse(rest));
    expect(error).toMatchObject({ code: 'REFERENCE_INVALID', hint: expect.stringMatching(/./) });
    expect(error.message).toContain(message);
    expect(error.message).toContain(`"containers-storage:${rest}"`);
  });
});

describe('the store in references to a store', () => {
  it.each([
    ['[/g]', { graphRoot: '/g', options: [] }],
    ['[overlay@/g]', { driver: 'overlay', graphRoot: '/g', options: [] }],
    ['[vfs@/g+/r]', { driver: 'vfs', graphRoot: '/g', runRoot: '/r', options: [] }],
    ['[/g+/r]', { graphRoot: '/g', runRoot: '/r', options: [] }],
    [
      '[overlay@/g+/r:overlay.a=1,overlay.b=/x+y:z@q]',
      { driver: 'overlay', graphRoot: '/g', runRoot: '/r', options: ['overlay.a=1', 'overlay.b=/x+y:z@q'] },
    ],
  ])('%s', (spec, store) => {
    expect(parse(`${spec}app:1`)).toEqual({ store, name: 'docker.io/library/app:1' });
  });

  it.each([
    ['[]app', 'invalid reference'],
    ['[@/g]app', 'invalid reference'],
    ['[overlay@]app', 'invalid reference'],
    ['[overlay@g]app', 'path name is not absolute'],
    ['[overlay@/g+r]app', 'path name is not absolute'],
    ['[overlay@+/r]app', 'path name is not absolute'],
    ['[overlay@/gapp', 'store specifier did not end'],
    ['[overlay@/g]', 'empty reference'],
  ])('%s is refused', async (rest, message) => {
    const error = await storageErrorOf(() => parse(rest));
    expect(error).toMatchObject({ code: 'REFERENCE_INVALID' });
    expect(error.message).toContain(message);
  });

  it('is printed as it is read', () => {
    for (const rest of [
      `[overlay@/g+/r:overlay.a=1,b=2]docker.io/library/app:1@${DIGEST}`,
      `[/g]docker.io/library/app:1@${ID}`,
      `@${ID}`,
      'abc',
    ]) {
      const reference = parseImageReference(`containers-storage:${rest}`);
      expect(reference.transport === 'containers-storage' && formatStoreReference(reference)).toBe(rest);
    }
  });
});
