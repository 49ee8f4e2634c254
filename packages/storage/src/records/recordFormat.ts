import { goJsonStringify, StorageError } from '@sediment/core';
import type * as z from 'zod/mini';
import { arrayPieces, jsonPieces, type ReadNext, textOfBytes } from './jsonPieces.ts';
import { JsonSyntaxError, readJson } from './jsonReader.ts';
import { writeJsonObject } from './jsonWriter.ts';
import { plainRecords } from './plainRecord.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** What differs between the record documents. */
export interface RecordDocument<T extends object, Json> {
  /** For messages: `layer`, `image`. */
  readonly kind: string;
  /** Keys on disk to their checked values, absent ones filled in. Its keys are the known keys. */
  readonly schema: z.ZodMiniObject<z.core.$ZodLooseShape> & z.ZodMiniType<Json>;
  /** Keys whose value is a Go map, written with sorted keys. */
  readonly maps: readonly string[];
  fromJson(json: Json, unknown: JsonObject): T;
  /** Known keys in Go's order; an omitted one is `undefined`. */
  toJson(record: T): JsonObject;
  /** Keys that this version does not know. */
  unknownOf(record: T): JsonObject;
}

/**
 * One kind of record file: text to records and back. Touches no file. Records are snapshots: those that
 * were parsed or serialized are frozen, a change is a new object.
 */
export interface RecordFormat<T extends object> {
  readonly kind: string;
  /**
   * Records of a file's content, in order; none when it is empty.
   *
   * @param path names the file in messages
   * @throws {StorageError} `RECORD_INVALID` with the place of the damage; never a shorter list
   */
  parse(content: Uint8Array | string, path: string): T[];
  /**
   * What {@link parse} gives for the content of a file, in a fraction of the memory; undefined if a record is damaged or
   * not as programs write it, so that `parse` has to judge the whole.
   */
  parseNext(readNext: ReadNext): T[] | undefined;
  /**
   * The file's content, byte for byte as a Go program would write the same records, in pieces of some 128 KiB.
   *
   * @throws {StorageError} `RECORD_INVALID` when a Go program could not read it
   * @throws {TypeError} for flags or unknown keys that have no JSON form
   */
  pieces(records: readonly T[], path: string): Buffer[];
  /** {@link pieces} as one text. */
  serialize(records: readonly T[], path: string): string;
}

/** Builds the parser and the writer of a document. */
export function defineRecordFormat<T extends object, Json>(
  document: RecordDocument<T, Json>,
): RecordFormat<T> {
  const known = new Map(Object.keys(document.schema.shape).map((key) => [key.toLowerCase(), key]));
  const plain = plainRecords<Json>(document.schema);
  const fromPlain = (raw: unknown) => {
    const json = plain.read(raw);
    return json === undefined ? undefined : Object.freeze(document.fromJson(json, NONE_UNKNOWN));
  };
  // A save writes all records of a store and changes one: the text of the others is kept, if a program saves often.
  const texts = new WeakMap<T, string>();
  let saves = 0;
  const checkedText = (json: JsonObject, unknown: JsonObject, where: Place): string => {
    check(document, json, where);
    return writeJsonObject({ ...json, ...checkUnknown(unknown, known, json, where) }, document.maps);
  };
  const textOf = (record: T, where: Place): string => {
    const kept = texts.get(record);
    if (kept !== undefined) return kept;
    const json = document.toJson(record);
    const unknown = document.unknownOf(record);
    const isPlain = isEmpty(unknown) && plain.accepts(json) && hasSortedMaps(json, document.maps);
    const text = isPlain ? goJsonStringify(json) : checkedText(json, unknown, where);
    Object.freeze(record);
    if (saves > 1) texts.set(record, text);
    return text;
  };
  const pieces = (records: readonly T[], path: string): Buffer[] => {
    saves++;
    const write = (record: T, index: number) =>
      textOf(record, { action: 'writing', path, index, kind: document.kind });
    return arrayPieces(mapped(records, write));
  };
  return {
    kind: document.kind,
    parse: (content, path) => {
      const text = typeof content === 'string' ? content : textOfBytes(content);
      const plain = parsePlain([text], fromPlain);
      if (plain !== undefined) return plain;
      return readArray(text, path).map((raw, index) => {
        const quick = fromPlain(raw);
        if (quick !== undefined) return quick;
        const where: Place = { action: 'loading', path, index, kind: document.kind };
        const [json, unknown] = splitKnown(raw, known, where);
        return Object.freeze(document.fromJson(check(document, json, where), unknown));
      });
    },
    parseNext: (readNext) => parsePlain(jsonPieces(readNext), fromPlain),
    pieces,
    serialize: (records, path) => Buffer.concat(pieces(records, path)).toString(),
  };
}

const NONE_UNKNOWN: JsonObject = Object.freeze({});

function isEmpty(object: JsonObject): boolean {
  for (const _ in object) return false;
  return true;
}

/** Whether keys that Go sorts by their bytes are in that order; those that are not ASCII are not looked at. */
function hasSortedMaps(json: JsonObject, maps: readonly string[]): boolean {
  return maps.every((map) => {
    let last = '';
    for (const key in json[map] as JsonObject | undefined) {
      if (key < last || !/^[\x20-\x7e]*$/.test(key)) return false;
      last = key;
    }
    return true;
  });
}

interface Place {
  readonly action: 'loading' | 'writing';
  readonly path: string;
  readonly index: number;
  readonly kind: string;
}

/** As `Array.map`, one after the other. */
function* mapped<T, R>(
  items: readonly T[],
  fn: (item: T, index: number) => R,
): Generator<R, void, undefined> {
  for (const [index, item] of items.entries()) yield fn(item, index);
}

/**
 * The records of texts that hold plain ones only; undefined for any other. `JSON.parse` may round numbers, but
 * none that a plain record has.
 */
function parsePlain<T>(texts: Iterable<string>, fromPlain: (raw: unknown) => T | undefined): T[] | undefined {
  const records: T[] = [];
  for (const text of texts) {
    const raws = parsedArray(text);
    if (raws === undefined) return undefined;
    for (const raw of raws) {
      const record = fromPlain(raw);
      if (record === undefined) return undefined;
      records.push(record);
    }
  }
  return records;
}

function parsedArray(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readArray(text: string, path: string): readonly unknown[] {
  if (text === '') return [];
  const value = parseText(text, path);
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw new StorageError('RECORD_INVALID', `loading ${JSON.stringify(path)}: the file holds no JSON array`, {
    path,
    hint: READ_HINT,
  });
}

const READ_HINT =
  'nothing was changed; correct the file by hand or restore it from a backup while no program uses the store';

function parseText(text: string, path: string): unknown {
  try {
    return readJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const before = text.slice(0, error.offset);
    const line = before.split('\n').length;
    const offset = Buffer.byteLength(before, 'utf8');
    throw new StorageError(
      'RECORD_INVALID',
      `loading ${JSON.stringify(path)}: line ${line}, byte ${offset}: ${error.message}`,
      { path, offset, hint: READ_HINT, cause: error },
    );
  }
}

/** Known and unknown keys of one record. Go matches keys whatever their case, the last one wins. */
function splitKnown(
  raw: unknown,
  known: ReadonlyMap<string, string>,
  where: Place,
): [JsonObject, JsonObject] {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw invalid(where, undefined, `expected an object, got ${show(raw)}`);
  }
  const json: Array<[string, unknown]> = [];
  const unknown: Array<[string, unknown]> = [];
  for (const [key, value] of Object.entries(raw)) {
    const name = known.get(key.toLowerCase());
    if (name === undefined) unknown.push([key, value]);
    else json.push([name, value]);
  }
  return [Object.fromEntries(json), Object.fromEntries(unknown)];
}

function check<T extends object, Json>(
  document: RecordDocument<T, Json>,
  json: JsonObject,
  where: Place,
): Json {
  const result = document.schema.safeParse(json);
  if (result.success) return result.data as Json;
  const { path, message } = result.error.issues[0] as z.core.$ZodIssue;
  const got = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], json);
  throw invalid(where, json.id, `key ${showKey(path)}: expected ${message}, got ${show(got)}`);
}

function checkUnknown(
  unknown: JsonObject,
  known: ReadonlyMap<string, string>,
  json: JsonObject,
  where: Place,
): JsonObject {
  const clash = Object.keys(unknown).find((key) => known.has(key.toLowerCase()));
  if (clash !== undefined)
    throw invalid(where, json.id, `key ${JSON.stringify(clash)} is not an unknown key`);
  return unknown;
}

function invalid(where: Place, id: unknown, problem: string): StorageError {
  const { action, path, index, kind } = where;
  const name = typeof id === 'string' ? ` (${kind} ${JSON.stringify(id)})` : '';
  return new StorageError(
    'RECORD_INVALID',
    `${action} ${JSON.stringify(path)}: record ${index}${name}: ${problem}`,
    {
      path,
      ...(typeof id === 'string' ? { object: id } : {}),
      hint:
        action === 'loading' ? READ_HINT : 'nothing was written: other programs could not read this record',
    },
  );
}

function showKey(path: readonly PropertyKey[]): string {
  return path.map((part) => JSON.stringify(part)).join(' → ');
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
