/**
 * Building blocks of the record schemas. The error text of each says what was expected; the record
 * format makes the sentence around it. `null` counts as absent everywhere, as it does in Go.
 */
import { type Compression, type Digest, isDigest } from '@sediment/core';
import * as z from 'zod/mini';
import { isGoTime, ZERO_TIME } from './goTime.ts';
import { withPlainTest } from './plainRecord.ts';

/** A schema whose absent or null value is `fallback`. */
export function orElse<S extends z.ZodMiniType, D>(schema: S, fallback: D) {
  return z.pipe(
    z.nullish(schema),
    z.transform((value): NonNullable<z.output<S>> | D => value ?? fallback),
  );
}

const text = z.string({ error: 'a string' });
const integer = z
  .number({ error: 'an integer' })
  .check(z.refine(Number.isSafeInteger, 'an integer below 2^53'));
const unsigned = integer.check(
  z.refine((n) => n >= 0 && n <= 0xffff_ffff, 'an integer from 0 to 4294967295'),
);
const digest = z.custom<Digest>(isDigest, 'a digest');
const emptyText = z.literal('', { error: 'a digest' });

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isSize = (value: unknown) => Number.isSafeInteger(value) && value !== 0;
const isTexts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');
const isUnsigned = (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;

/** An object id. Ids name files and directories, so one that could leave its directory is damage. */
export const idSchema = withPlainTest(
  text.check(
    z.refine(
      (id) => id !== '' && id !== '.' && id !== '..' && !/[/\0]/.test(id),
      'an id fit for a file name',
    ),
  ),
  (value) => typeof value === 'string' && /^[0-9a-f]+$/.test(value),
);
/** A text that is left out when empty; absent gives `undefined`. */
export const optionalTextSchema = withPlainTest(
  z.pipe(
    z.nullish(text),
    z.transform((value) => (value === '' || value === null ? undefined : value)),
  ),
  isText,
);
/** A text that is always written; absent gives the empty text. */
export const textSchema = withPlainTest(orElse(text, ''), isText);
export const textsSchema = withPlainTest(
  orElse(z.array(text, { error: 'an array of strings' }), [] as string[]),
  isTexts,
);
/** Go's zero size is "not known" and left out: `undefined` here. */
export const optionalSizeSchema = withPlainTest(
  z.pipe(
    z.nullish(integer),
    z.transform((value) => (value === 0 || value === null ? undefined : value)),
  ),
  isSize,
);
export const countSchema = withPlainTest(orElse(integer, 0), isSize);
export const optionalDigestSchema = withPlainTest(
  z.pipe(
    z.nullish(z.union([emptyText, digest], { error: 'a digest such as "sha256:" and 64 hex digits' })),
    z.transform((value): Digest | undefined => (value === '' || value === null ? undefined : value)),
  ),
  (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value),
);
/** A time of day in UTC on a day that every month has. */
const PLAIN_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;
export const timeSchema = withPlainTest(
  orElse(z.custom<string>(isGoTime, 'an RFC 3339 time such as "2026-11-21T07:02:48.5Z"'), ZERO_TIME),
  (value) => typeof value === 'string' && PLAIN_TIME.test(value),
);
export const uintsSchema = withPlainTest(
  orElse(z.array(unsigned, { error: 'an array of integers' }), [] as number[]),
  (value) => Array.isArray(value) && value.every(isUnsigned),
);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A Go map. Unlike zod's own record it keeps every key, `__proto__` too. */
function mapSchema<V>(
  isValue: (value: unknown) => value is V,
  expected: string,
  isPlain: (value: unknown) => boolean = isValue,
) {
  const map = z.custom<Readonly<Record<string, V>>>(isObject, 'an object').check(
    z.check(({ value, issues }) => {
      for (const [key, item] of Object.entries(value)) {
        if (!isValue(item)) issues.push({ code: 'custom', path: [key], message: expected, input: item });
      }
    }),
  );
  return withPlainTest(
    orElse(map, {} as Readonly<Record<string, V>>),
    (value) => isObject(value) && Object.values(value).every(isPlain),
  );
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isAnything = (_value: unknown): _value is unknown => true;
export const sizesSchema = mapSchema(isInteger, 'an integer below 2^53');
export const digestsSchema = mapSchema(isDigest, 'a digest');
/** Numbers among flags may be such that JavaScript cannot hold. */
const isPlainFlag = (value: unknown) => typeof value === 'boolean' || typeof value === 'string';
export const flagsSchema = mapSchema(isAnything, 'a value', isPlainFlag);

const idMap = z.looseObject(
  { container_id: countSchema, host_id: countSchema, size: countSchema },
  { error: 'an object' },
);
/** JSON form of `uidmap` and `gidmap`; absent means no map. */
export const idMapsSchema = orElse(
  z.array(idMap, { error: 'an array of id maps' }),
  [] as z.output<typeof idMap>[],
);

/** Go's numbers of the compression kinds, in order. */
const COMPRESSIONS = ['none', 'bzip2', 'gzip', 'xz', 'zstd'] as const satisfies readonly Compression[];

export const compressionSchema = withPlainTest(
  orElse(
    integer.check(
      z.refine((n) => COMPRESSIONS[n] !== undefined, 'a compression known to this version (0 to 4)'),
    ),
    0,
  ),
  (value) => typeof value === 'number' && COMPRESSIONS[value] !== undefined,
);

export function compressionFromNumber(number: number): Compression {
  return COMPRESSIONS[number] ?? 'none';
}

export function compressionToNumber(compression: Compression): number {
  return COMPRESSIONS.indexOf(compression);
}
