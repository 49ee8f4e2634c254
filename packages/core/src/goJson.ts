/** Characters that `encoding/json` escapes and `JSON.stringify` does not, and lone surrogates. */
const SPECIAL = /[<>&\u2028\u2029]|\\(?:u(d[89a-f][0-9a-f]{2})|.)/g;

/** Each match of {@link SPECIAL} begins with one of these. */
const FIRST_CHARACTERS = ['<', '>', '&', '\u2028', '\u2029', '\\'] as const;

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * JSON text as Go's `encoding/json` writes it: no spaces, `<`, `>`, `&`, U+2028 and U+2029 escaped,
 * lone surrogates replaced by U+FFFD. Keys keep their order of insertion, which the caller makes
 * equal to the order of Go's struct fields.
 *
 * @throws {TypeError} if `value` has no JSON form (undefined, a function, a BigInt)
 */
export function goJsonStringify(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`value of type ${typeof value} has no JSON form`);
  if (!holdsSpecial(text)) return text;
  return text.replace(SPECIAL, (match, surrogate: string | undefined) =>
    surrogate === undefined ? (ESCAPES[match] ?? match) : '\ufffd',
  );
}

/** Hardly any text does, and looking for single characters takes a tenth of the time. */
function holdsSpecial(text: string): boolean {
  return FIRST_CHARACTERS.some((character) => text.includes(character));
}
