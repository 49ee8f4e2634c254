/**
 * JSON text to values without loss, and with the place of an error. `JSON.parse` rounds numbers that
 * a double cannot hold and does not always say where it stopped, so it only does the common case.
 */

/** A JSON number whose text JavaScript would not print again: `1.0`, `1e3`, beyond 2^53. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The nearest number, for programs that print the value themselves. */
  toJSON(): number {
    return Number(this.text);
  }
}

/** Malformed JSON. `offset` counts UTF-16 units from the start of the text. */
export class JsonSyntaxError extends SyntaxError {
  override readonly name = 'JsonSyntaxError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Far deeper than any record, and shallow enough for the stack. */
const MAX_DEPTH = 1000;
/** Numbers with a fraction, an exponent, 16 digits or more, or a negative zero; may match inside strings. */
const INEXACT_NUMBER = /(?:"\s*:|[[,])\s*(?:-?(?:\d+[.eE]|\d{16})|-0(?![.\d]))/;

/**
 * Values of a JSON text; objects keep the order of their keys, numbers that JavaScript cannot hold
 * become {@link ExactNumber}.
 *
 * @throws {JsonSyntaxError}
 */
export function readJson(text: string): unknown {
  if (!INEXACT_NUMBER.test(text)) {
    try {
      return JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return new JsonReader(text).readDocument();
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in strings
const PLAIN = /[^"\\\u0000-\u001f]*/y;

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): unknown {
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('the end of the file');
    return value;
  }

  #value(): unknown {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (char === '{') return this.#nested(() => this.#object());
    if (char === '[') return this.#nested(() => this.#array());
    if (char === '"') return this.#string();
    if (char === '-' || (char !== undefined && char >= '0' && char <= '9')) return this.#number();
    for (const [word, value] of [
      ['null', null],
      ['true', true],
      ['false', false],
    ] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw this.#unexpected('a value');
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new JsonSyntaxError('nested too deeply', this.#at);
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): Record<string, unknown> {
    const entries: Array<[string, unknown]> = [];
    this.#skipSpace();
    if (this.#take('}')) return {};
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key in double quotes');
      const key = this.#string();
      this.#skipSpace();
      if (!this.#take(':')) throw this.#unexpected('":"');
      entries.push([key, this.#value()]);
      this.#skipSpace();
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#unexpected('"," or "}"');
    return Object.fromEntries(entries);
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    this.#skipSpace();
    if (this.#take(']')) return items;
    do {
      items.push(this.#value());
      this.#skipSpace();
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#unexpected('"," or "]"');
    return items;
  }

  #string(): string {
    this.#at++;
    let value = '';
    for (;;) {
      value += this.#match(PLAIN);
      if (this.#take('"')) return value;
      if (!this.#take('\\')) throw this.#unexpected('the end of a string');
      value += this.#escape();
    }
  }

  #escape(): string {
    const char = this.#text[this.#at] ?? '';
    const plain = ESCAPES[char];
    if (plain !== undefined) {
      this.#at++;
      return plain;
    }
    const hex = this.#text.slice(this.#at + 1, this.#at + 5);
    if (char !== 'u' || !/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#unexpected('an escape sequence');
    this.#at += 5;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #number(): number | ExactNumber {
    const text = this.#match(NUMBER);
    if (text === '') throw this.#unexpected('a number');
    const value = Number(text);
    return String(value) === text ? value : new ExactNumber(text);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #unexpected(expected: string): JsonSyntaxError {
    const char = this.#text[this.#at];
    const found = char === undefined ? 'the file ends' : `there is ${JSON.stringify(char)}`;
    return new JsonSyntaxError(`${found} where ${expected} should be`, this.#at);
  }
}
