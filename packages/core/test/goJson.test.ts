import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goJsonStringify } from '../src/goJson.ts';

describe('goJsonStringify', () => {
  it.each<[string, unknown, string]>([
    ['HTML', '<a href="x">&', '"\\u003ca href=\\"x\\"\\u003e\\u0026"'],
    ['line separators', '\u2028\u2029', '"\\u2028\\u2029"'],
    ['control characters', '\n\r\t\x01\x7f', '"\\n\\r\\t\\u0001\x7f"'],
    ['non-ASCII stays', 'é😀', '"é😀"'],
    ['lone surrogates', 'a\ud800b\udfff', '"a\ufffdb\ufffd"'],
    ['text that looks like an escape', '\\ud800 \\u003c', '"\\\\ud800 \\\\u003c"'],
    ['keys', { 'a<b': 1 }, '{"a\\u003cb":1}'],
    ['order and compactness', { z: [1, null, true], a: {} }, '{"z":[1,null,true],"a":{}}'],
  ])('%s', (_, value, expected) => {
    expect(goJsonStringify(value)).toBe(expected);
  });

  it('can be read back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(goJsonStringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('refuses what has no JSON form', () => {
    expect(() => goJsonStringify(undefined)).toThrow(TypeError);
    expect(() => goJsonStringify(1n)).toThrow(TypeError);
  });
});
