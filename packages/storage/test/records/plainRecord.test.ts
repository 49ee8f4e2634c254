import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import {
  compressionSchema,
  countSchema,
  flagsSchema,
  idMapsSchema,
  idSchema,
  optionalDigestSchema,
  optionalSizeSchema,
  optionalTextSchema,
  sizesSchema,
  textSchema,
  textsSchema,
  timeSchema,
  uintsSchema,
} from '../../src/records/fieldSchemas.ts';
import { plainRecords } from '../../src/records/plainRecord.ts';

const schema = z.object({
  id: idSchema,
  text: optionalTextSchema,
  kept: textSchema,
  texts: textsSchema,
  digest: optionalDigestSchema,
  size: optionalSizeSchema,
  count: countSchema,
  time: timeSchema,
  uints: uintsSchema,
  compression: compressionSchema,
  flags: flagsSchema,
  maps: idMapsSchema,
});
const plain = plainRecords<z.output<typeof schema>>(schema);

const HEX = 'ab'.repeat(32);
const values = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      null,
      '',
      '.',
      '..',
      'a/b',
      HEX,
      `sha256:${HEX}`,
      `sha256:${HEX}0`,
      `sha512:${HEX}${HEX}`,
      'sha256:',
      '-0',
    ],
    ...[
      0,
      -0,
      1,
      4,
      5,
      -1,
      1.5,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 53,
      Number.NaN,
      true,
      [],
      [''],
      ['a'],
      [1],
      [-1],
      [1, 'a'],
    ],
    ...['2026-11-21T07:02:48.5Z', '2026-02-30T07:02:48Z', '2026-02-29T00:00:00Z', '2026-11-21T24:00:00Z'],
    ...[
      '2026-11-21T07:02:48.Z',
      '2026-11-21T07:02:48.1234567890Z',
      '2026-11-21T07:02:60Z',
      '2026-11-21 07:02:48Z',
    ],
    ...['2026-11-21T07:02:48+01:00', { a: 1 }, [{ container_id: 0, host_id: 1, size: 2 }]],
  ),
  fc.jsonValue(),
);

/** The values of all fields; a plain record has the absent ones from its prototype. */
function fieldsOf(json: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(schema.shape).map((key) => [key, (json as Record<string, unknown>)[key]]),
  );
}

/** A copy, since reading changes what it is given. */
const readCopy = (raw: unknown) => plain.read(structuredClone(raw));

describe('plainRecords', () => {
  it('keeps a big data item whose name JavaScript gives a meaning', () => {
    const raw = JSON.parse('{"id":"ab","sizes":{"__proto__":3}}');
    const document = z.object({ id: idSchema, sizes: sizesSchema });
    expect(Object.entries(document.parse(raw).sizes)).toEqual([['__proto__', 3]]);
    expect(plainRecords<z.output<typeof document>>(document).read(raw)?.sizes).toBe(raw.sizes);
  });

  it('accepts only what the schema gives back unchanged', () => {
    const field = fc.option(values, { nil: undefined, freq: 3 });
    const keys = Object.keys(schema.shape);
    const records = fc.record(Object.fromEntries(keys.map((key) => [key, field])));
    const ids = fc.constantFrom<unknown>(HEX, undefined, 'a/b');
    fc.assert(
      fc.property(records, ids, (record, id) => {
        const json = { ...record, id };
        if (!plain.accepts(json)) return;
        const given = fieldsOf(schema.parse(json));
        for (const [key, value] of Object.entries(json)) {
          if (value !== undefined) expect(given[key]).toEqual(value);
        }
      }),
      { numRuns: 2000 },
    );
    expect(plain.accepts({ id: HEX, size: 1, text: undefined })).toBe(true);
    expect(plain.accepts({ text: 'a' })).toBe(false);
  });

  it('gives what the schema gives, or nothing', () => {
    const field = fc.oneof({ weight: 1, arbitrary: values });
    const records = fc.record(
      Object.fromEntries(Object.keys(schema.shape).map((key) => [key, field])) as Record<
        string,
        typeof field
      >,
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(records, (raw) => {
        const plain = readCopy(raw);
        if (plain !== undefined) expect(fieldsOf(plain)).toEqual(fieldsOf(schema.parse(raw)));
      }),
      { numRuns: 3000 },
    );
  });

  it.each(Object.keys(schema.shape))('agrees with the schema on each value of %s', (key) => {
    fc.assert(
      fc.property(values, (value) => {
        const plain = readCopy({ id: HEX, [key]: value });
        if (plain === undefined) return;
        expect(fieldsOf(plain)).toEqual(fieldsOf(schema.parse({ id: HEX, [key]: value })));
      }),
      { numRuns: 1000 },
    );
  });

  it('reads the ordinary record', () => {
    const raw = {
      id: HEX,
      text: 'a',
      kept: 'b',
      texts: ['c'],
      digest: `sha256:${HEX}`,
      size: 1,
      count: 2,
      time: '2026-11-21T07:02:48.54229985Z',
      uints: [0, 65534],
      compression: 2,
    };
    expect(fieldsOf(readCopy(raw) ?? {})).toEqual(fieldsOf(schema.parse(raw)));
  });

  it.each(
    [{}, { id: HEX, unknown: 1 }, { ID: HEX }, { id: HEX, text: null }, [], null, 'a'].map((raw) => [raw]),
  )('leaves %j to the schema', (raw) => {
    expect(plain.read(raw)).toBeUndefined();
  });
});
