import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordIndex } from '../../src/records/recordIndex.ts';

const record = (id: string, ...names: string[]) => ({ id, names });

describe('RecordIndex', () => {
  it('looks for an id, then a name, then an alias, then a prefix', () => {
    const byId = { ...record('ab'), layer: '' };
    const byName = { ...record('cd', 'ab', 'abc'), layer: '' };
    const byAlias = { ...record('ef'), layer: 'abcd' };
    const byPrefix = { ...record('abcdef'), layer: '' };
    const index = new RecordIndex([byPrefix, byAlias, byName, byId], (each) => each.layer);
    expect(index.find('ab')).toBe(byId);
    expect(index.find('abc')).toBe(byName);
    expect(index.find('abcd')).toBe(byAlias);
    expect(index.find('abcde')).toBe(byPrefix);
    expect(index.byId('abcde')).toBeUndefined();
    expect(index.byName('ab')).toBe(byName);
    expect(index.find('')).toBeUndefined();
    expect(index.find('zz')).toBeUndefined();
  });

  it('finds nothing by an ambiguous prefix, and says between what', () => {
    const index = new RecordIndex([record('aa1'), record('aa2'), record('ab')]);
    expect(index.find('aa')).toBeUndefined();
    expect(index.matchPrefix('aa')).toEqual({ ambiguous: ['aa1', 'aa2'] });
    expect(index.find('ab')).toEqual(record('ab'));
    expect(index.matchPrefix('b')).toBeUndefined();
  });

  it('finds an id with a space by its full text only', () => {
    const index = new RecordIndex([record('a b')]);
    expect(index.find('a b')).toEqual(record('a b'));
    expect(index.find('a')).toBeUndefined();
  });

  it('counts the first of two equal ids and the last of two equal names', () => {
    const first = record('a', 'n');
    const last = record('b', 'n');
    const index = new RecordIndex([first, record('a', 'other'), last]);
    expect(index.byId('a')).toBe(first);
    expect(index.byName('n')).toBe(last);
    expect(index.byName('other')).toBeUndefined();
  });

  it('does not mistake names of Object.prototype for records', () => {
    const index = new RecordIndex([record('a')]);
    for (const name of ['constructor', '__proto__', 'toString']) expect(index.find(name)).toBeUndefined();
  });

  it('agrees with a search through the list', () => {
    const hex = fc.string({ unit: fc.constantFrom('0', '1', 'a', 'b'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.uniqueArray(hex, { maxLength: 40 }), hex, (ids, prefix) => {
        const matches = ids.filter((id) => id.startsWith(prefix));
        const expected = ids.includes(prefix) ? prefix : matches.length === 1 ? matches[0] : undefined;
        expect(new RecordIndex(ids.map((id) => record(id))).find(prefix)?.id).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });
});
