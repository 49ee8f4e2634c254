import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bigDataFileName } from '../../src/records/bigDataName.ts';

describe('bigDataFileName', () => {
  it.each([
    ['manifest', 'manifest'],
    ['a.b9', 'a.b9'],
    ['foo-bar', '=Zm9vLWJhcg=='],
    ['Foo.bar', '=Rm9vLmJhcg=='],
    ['sha256:7e9c', '=c2hhMjU2OjdlOWM='],
    ['a_b', '=YV9i'],
    ['ä', '=w6Q='],
  ])('%s is in the file %s', (key, name) => expect(bigDataFileName(key)).toBe(name));

  it.each(['', '.', '..', 'a??', 'signature-ÿ?'])('refuses %j', (key) => {
    expect(() => bigDataFileName(key)).toThrow(expect.objectContaining({ code: 'BIG_DATA_NAME_INVALID' }));
  });

  it('never leaves the directory, and gives every key a file of its own', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (key) => {
        const base64 = Buffer.from(key).toString('base64');
        fc.pre(!base64.includes('/') && key !== '.' && key !== '..');
        const name = bigDataFileName(key);
        expect(name).toMatch(/^([a-z0-9.]+|=[A-Za-z0-9+]+=*)$/);
        expect(seen.get(name) ?? key).toBe(key);
        seen.set(name, key);
      }),
    );
  });
});
