import { describe, expect, it } from 'vitest';
import {
  settleDuplicateNames,
  uniqueNames,
  withAddedNames,
  withNamesInHistory,
  withoutNames,
} from '../../src/records/names.ts';

describe('names', () => {
  it('keep their order, the first of equals counts', () => {
    expect(uniqueNames(['b', 'a', 'b', 'c', 'a'])).toEqual(['b', 'a', 'c']);
  });

  it('are added in front', () => {
    expect(withAddedNames(['a', 'b'], ['c', 'b', 'c'])).toEqual(['c', 'b', 'a']);
  });

  it('are removed', () => {
    expect(withoutNames(['a', 'b', 'a', 'c'], ['a', 'x'])).toEqual(['b', 'c']);
  });

  it('enter the history one after the other, the latest first', () => {
    expect(withNamesInHistory(['old', 'b'], ['a', 'b'])).toEqual(['b', 'a', 'old']);
  });
});

describe('settleDuplicateNames', () => {
  it('leaves a name to the record read last', () => {
    const first = { id: '1', names: ['a', 'x'] };
    const second = { id: '2', names: ['b'] };
    const third = { id: '3', names: ['x', 'b'] };
    const { records, settled } = settleDuplicateNames([first, second, third]);
    expect(records).toEqual([{ id: '1', names: ['a'] }, { id: '2', names: [] }, third]);
    expect(settled).toEqual([
      { name: 'x', loser: '1', winner: '3' },
      { name: 'b', loser: '2', winner: '3' },
    ]);
  });

  it('returns records without a change as they are', () => {
    const records = [
      { id: '1', names: ['a'] },
      { id: '2', names: [] },
    ];
    const result = settleDuplicateNames(records);
    expect(result.settled).toEqual([]);
    for (const [i, record] of result.records.entries()) expect(record).toBe(records[i]);
  });
});
