/**
 * Building blocks of the record schemas. The error text of each says what was expected; the record
 * format makes the sentence around it. `null` counts as absent everywhere, as it does in Go.
 */
import { type Compression, type Digest, isDigest } from '@sediment/core';
import * as z from 'zod/mini';
import { isGoTime, ZERO_TIME } from './goTime.ts';

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

/** An object id. Ids name files and directories, so one that could leave its directory is damage. */
export const idSchema = text.check(
  z.refine((id) => id !== '' && id !== '.' && id !== '..' && !/[/\0]/.test(id), 'an id fit for a file name'),
);
/** A text that is left out when empty; absent gives `undefined`. */
export const optionalTextSchema = z.pipe(
  z.nullish(text),
  z.transform((value) => (value === '' || value === null ? undefined : value)),
);
/** A text that is always written; absent gives the empty text. */
export const textSchema = orElse(text, '');
export const textsSchema = orElse(z.array(text, { error: 'an array of strings' }), [] as string[]);
/** Go's zero size is "not known" and left out: `undefined` here. */
export const optionalSizeSchema = z.pipe(
  z.nullish(integer),
  z.transform((value) => (value === 0 || value === null ? undefined : value)),
);
export const countSchema = orElse(integer, 0);
export const optionalDigestSchema = z.pipe(
  z.nullish(z.union([emptyText, digest], { error: 'a digest such as "sha256:" and 64 hex digits' })),
  z.transform((value): Digest | undefined => (value === '' || value === null ? undefined : value)),
);
export const timeSchema = orElse(
  z.custom<string>(isGoTime, 'an RFC 3339 time such as "2026-11-21T07:02:48.5Z"'),
  ZERO_TIME,
);
export const uintsSchema = orElse(z.array(unsigned, { error: 'an array of integers' }), [] as number[]);
const objectError = { error: 'an object' };
export const sizesSchema = orElse(z.record(z.string(), integer, objectError), {} as Record<string, number>);
export const digestsSchema = orElse(z.record(z.string(), digest, objectError), {} as Record<string, Digest>);
export const flagsSchema = orElse(
  z.record(z.string(), z.unknown(), objectError),
  {} as Record<string, unknown>,
);

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

export const compressionSchema = orElse(
  integer.check(
    z.refine((n) => COMPRESSIONS[n] !== undefined, 'a compression known to this version (0 to 4)'),
  ),
  0,
);

export function compressionFromNumber(number: number): Compression {
  return COMPRESSIONS[number] ?? 'none';
}

export function compressionToNumber(compression: Compression): number {
  return COMPRESSIONS.indexOf(compression);
}
