import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactNumber, JsonSyntaxError, readJson } from '../../src/records/jsonReader.ts';

/** A space in front of a fraction sends the text to the exact reader, whatever follows. */
const EXACT = '[ 1.50,';

describe('readJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false }),
        fc.constantFrom(undefined, 1, '\t'),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          expect(numbersOf(readJson(text))).toEqual(JSON.parse(text));
          expect(numbersOf(readJson(`${EXACT}${text}]`))).toEqual([1.5, JSON.parse(text)]);
        },
      ),
    );
  });

  it.each(['9007199254740993', '1.0', '1e3', '-0', '0.10', '123456789012345678901234567890', '1E+2'])(
    'keeps the text of %s',
    (text) => {
      const expected = new ExactNumber(text);
      expect(readJson(`{"a":${text}}`)).toEqual({ a: expected });
      expect(readJson(`{"a" :\t${text} }`)).toEqual({ a: expected });
      expect(readJson(`[${text},\n ${text}]`)).toEqual([expected, expected]);
      expect(JSON.stringify(expected)).toBe(JSON.stringify(Number(text)));
    },
  );

  it.each(['0', '-1', '9007199254740991', '1.5', '1e+21', '1e-7'])('gives %s as a plain number', (text) => {
    expect(readJson(`[${text}]`)).toEqual([Number(text)]);
    expect(readJson(`${EXACT}${text}]`)).toEqual([new ExactNumber('1.50'), Number(text)]);
  });

  it('keeps a key named __proto__ as a key', () => {
    for (const text of ['{"__proto__":1}', '{"__proto__":1.0}']) {
      expect(Object.keys(readJson(text) as object)).toEqual(['__proto__']);
    }
  });

  it.each([
    ['', 0],
    ['[', 1],
    ['[1', 2],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['[1]]', 3],
    ['{"a"}', 4],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ["{'a':1}", 1],
    ['["a\nb"]', 3],
    ['["a', 3],
    ['["\\x"]', 3],
    ['["\\u12"]', 3],
    ['[01]', 2],
    ['[-]', 1],
    ['[1.]', 2],
    ['[+1]', 1],
    ['[nul]', 1],
    ['\ufeff[]', 0],
    ['[1.0,', 5],
  ])('refuses %j at %i', (text, offset) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    const error = errorOf(() => readJson(text));
    expect(error).toBeInstanceOf(JsonSyntaxError);
    expect((error as JsonSyntaxError).offset).toBe(offset);
  });

  it('refuses exactly what JSON.parse refuses', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"\\n"',
      '1',
      '-',
      '.5',
      'e1',
      'true',
      'null',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const refused = errorOf(() => JSON.parse(text)) !== undefined;
        expect(errorOf(() => readJson(text)) !== undefined).toBe(refused);
        expect(errorOf(() => readJson(`${EXACT}${text}]`)) !== undefined).toBe(
          errorOf(() => JSON.parse(`${EXACT}${text}]`)) !== undefined,
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses values nested too deeply for the stack', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}1.0${']'.repeat(depth)}`;
    expect(errorOf(() => readJson(nested(1000)))).toBeUndefined();
    expect(errorOf(() => readJson(nested(1001)))).toBeInstanceOf(JsonSyntaxError);
  });
});

/** The value with plain numbers in place of exact ones. */
function numbersOf(value: unknown): unknown {
  if (value instanceof ExactNumber) return value.toJSON();
  if (Array.isArray(value)) return value.map(numbersOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, numbersOf(member)]));
}

function errorOf(fn: () => unknown): unknown {
  try {
    fn();
    return undefined;
  } catch (error) {
    return error;
  }
}
