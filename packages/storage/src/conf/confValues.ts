import { StorageError, type WarningHandler } from '@sediment/core';
import type * as z from 'zod/mini';
import { CONF_KEYS, type ConfKey, DEPRECATED_KEYS } from './confKeys.ts';
import type { ConfValue } from './storageConf.ts';

type Table = Readonly<Record<string, unknown>>;

interface SourcedValue {
  readonly value: ConfValue;
  /** Path of the file; of a list that was appended to, all paths. */
  readonly source: string;
}

/** The values of several configuration files, merged key by key; the file added last wins. */
export class ConfValues {
  readonly #values = new Map<ConfKey, SourcedValue>();
  readonly #appending = new Set<ConfKey>();
  readonly #onWarning: WarningHandler;

  constructor(onWarning: WarningHandler) {
    this.#onWarning = onWarning;
  }

  /**
   * Merges a file's content. Keys that are unknown or of older releases are warnings.
   *
   * @throws {StorageError} `CONFIG_INVALID` for a value of a wrong type
   */
  addFile(content: Table, path: string): void {
    this.#addTable(content, '', path);
  }

  get(key: ConfKey): SourcedValue | undefined {
    return this.#values.get(key);
  }

  /** The text of a key; undefined when it is not set or empty, which means the same. */
  text(key: ConfKey): string | undefined {
    const value = this.#values.get(key)?.value;
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  texts(key: ConfKey): readonly string[] {
    return (this.#values.get(key)?.value as readonly string[] | undefined) ?? [];
  }

  flag(key: ConfKey): boolean {
    return this.#values.get(key)?.value === true;
  }

  /** A number; undefined when it is not set or zero, which means the same. */
  number(key: ConfKey): number | undefined {
    return (this.#values.get(key)?.value as number | undefined) || undefined;
  }

  table(key: ConfKey): Readonly<Record<string, string>> {
    return (this.#values.get(key)?.value as Readonly<Record<string, string>> | undefined) ?? {};
  }

  /** Keys that some file sets, in the order of the documentation. */
  keys(): ConfKey[] {
    return (Object.keys(CONF_KEYS) as ConfKey[]).filter((key) => this.#values.has(key));
  }

  #addTable(table: Table, prefix: string, file: string): void {
    for (const [name, value] of Object.entries(table)) {
      const key = knownSpelling(prefix === '' ? name : `${prefix}.${name}`);
      if (Object.hasOwn(DEPRECATED_KEYS, key)) this.#warnDeprecated(key, value, file);
      if (Object.hasOwn(CONF_KEYS, key)) this.#addValue(key as ConfKey, value, file);
      else if (isTableKey(key)) this.#addTable(requireTable(key, value, file), key, file);
      else if (!Object.hasOwn(DEPRECATED_KEYS, key)) this.#warnUnknown(key, file);
    }
  }

  #addValue(key: ConfKey, raw: unknown, file: string): void {
    const value = checkValue(key, raw, file);
    if (Array.isArray(value)) this.#addList(key, value, file);
    else if (typeof value === 'object') this.#addMap(key, value as Readonly<Record<string, string>>, file);
    else this.#values.set(key, { value: value as string | boolean | number, source: file });
  }

  /** Lists replace each other, from `{append=true}` on they add up, until a file has `{append=false}`. */
  #addList(key: ConfKey, items: ReadonlyArray<string | { readonly append: boolean }>, file: string): void {
    const texts = items.filter((item) => typeof item === 'string');
    for (const item of items) {
      if (typeof item === 'string') continue;
      if (item.append) this.#appending.add(key);
      else this.#appending.delete(key);
    }
    const before = this.#appending.has(key) ? this.#values.get(key) : undefined;
    this.#values.set(key, {
      value: [...((before?.value as readonly string[] | undefined) ?? []), ...texts],
      source: joinSources(before?.source, file),
    });
  }

  #addMap(key: ConfKey, entries: Readonly<Record<string, string>>, file: string): void {
    const before = this.#values.get(key);
    const value = { ...(before?.value as Readonly<Record<string, string>> | undefined), ...entries };
    this.#values.set(key, { value, source: joinSources(before?.source, file) });
  }

  #warnDeprecated(key: string, value: unknown, file: string): void {
    if (isTable(value) && Object.keys(value).length === 0) return;
    this.#onWarning({
      code: 'CONFIG_KEY_DEPRECATED',
      message: `${file}: key "${key}" is deprecated: ${DEPRECATED_KEYS[key]}`,
      object: key,
      path: file,
    });
  }

  #warnUnknown(key: string, file: string): void {
    this.#onWarning({
      code: 'CONFIG_KEY_UNKNOWN',
      message: `${file}: key "${key}" is not known and was ignored`,
      object: key,
      path: file,
    });
  }
}

/** Go programs match keys whatever their case. */
function knownSpelling(key: string): string {
  const lower = key.toLowerCase();
  return Object.hasOwn(CONF_KEYS, lower) || Object.hasOwn(DEPRECATED_KEYS, lower) || isTableKey(lower)
    ? lower
    : key;
}

function isTableKey(key: string): boolean {
  return Object.keys(CONF_KEYS).some((known) => known.startsWith(`${key}.`));
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function requireTable(key: string, value: unknown, file: string): Table {
  if (isTable(value)) return value;
  throw wrongValue({ key, file, expected: 'a table', value });
}

function checkValue(key: ConfKey, raw: unknown, file: string): unknown {
  const result = CONF_KEYS[key].safeParse(raw);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0] as z.core.$ZodIssue;
  const value = path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown>)[part], raw);
  const where = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw wrongValue({ key: key + where, file, expected: message, value });
}

interface WrongValue {
  readonly key: string;
  readonly file: string;
  readonly expected: string;
  readonly value: unknown;
}

function wrongValue({ key, file, expected, value }: WrongValue): StorageError {
  const actual = JSON.stringify(value);
  const quotable = expected === 'a string' && (typeof value === 'boolean' || typeof value === 'number');
  return new StorageError('CONFIG_INVALID', `${file}: key "${key}": expected ${expected}, got ${actual}`, {
    object: key,
    path: file,
    expected,
    actual,
    hint: quotable ? `write the value in quotes: "${String(value)}"` : `set "${key}" to ${expected}`,
  });
}

function joinSources(before: string | undefined, file: string): string {
  return before === undefined || before === file ? file : `${before}, ${file}`;
}
