import { describe, expect, it } from 'vitest';
import { goQuote } from '../../src/output/goQuote.ts';

// expected texts as `strconv.Quote` gives them
describe('goQuote', () => {
  it.each([
    ['', '""'],
    ['plain text', '"plain text"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\u0007\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
    ['\u0000\u001b\u007f', '"\\x00\\x1b\\x7f"'],
    ['äöü €', '"äöü €"'],
    ['\u00a0\u200b\u2028', '"\\u00a0\\u200b\\u2028"'],
    ['😀', '"😀"'],
    ['\u{e0001}', '"\\U000e0001"'],
    ['\u00ad', '"\\u00ad"'],
  ])('quotes %j', (text, expected) => {
    expect(goQuote(text)).toBe(expected);
  });
});
