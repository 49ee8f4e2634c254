import { expect, it } from 'vitest';
import { jsonText, listOrNull, sortedMap } from '../../src/output/json.ts';

it('writes values as Go does', () => {
  expect(jsonText({ id: 'a<b>&"', list: [1, true, null], none: {} })).toBe(
    '{"id":"a\\u003cb\\u003e\\u0026\\"","list":[1,true,null],"none":{}}',
  );
});

it('keeps the order of maps, also of keys that look like numbers', () => {
  expect(jsonText(sortedMap({ b: 1, 9: 2, 10: 3, Z: { 2: 0 } }))).toBe('{"10":3,"9":2,"Z":{"2":0},"b":1}');
});

it('sorts by bytes, not by UTF-16', () => {
  expect([...sortedMap({ '\u{1f600}': 0, '\uffee': 0, a: 0 }).keys()]).toEqual(['a', '\uffee', '\u{1f600}']);
});

it('knows lists that were never filled', () => {
  expect(jsonText(listOrNull([]))).toBe('null');
  expect(jsonText(listOrNull(['a']))).toBe('["a"]');
});
