import * as z from 'zod/mini';

type PlainTest = (value: unknown) => boolean;

const plainTests = new WeakMap<object, PlainTest>();

/**
 * Remembers what values of a schema are plain: `test` must hold only for values that the schema accepts and
 * gives back unchanged. It may refuse others: those go through the schema.
 */
export function withPlainTest<S extends z.ZodMiniType>(schema: S, test: PlainTest): S {
  plainTests.set(schema, test);
  return schema;
}

/**
 * A reader of plain records: it gives what the schema gives, several times faster, or `undefined` for a
 * record that has to go through the schema (an unusual value, an unknown key, damage). In a store of ten
 * thousand layers reading the records is most of what a listing does.
 */
export function plainReader<Json>(
  schema: z.ZodMiniObject<z.core.$ZodLooseShape>,
): (raw: unknown) => Json | undefined {
  const defaults: Record<string, unknown> = {};
  const required: string[] = [];
  const tests = new Map<string, PlainTest>();
  for (const [key, field] of Object.entries(schema.shape)) {
    const absent = z.safeParse(field, undefined);
    defaults[key] = absent.data;
    if (!absent.success) required.push(key);
    tests.set(key, plainTests.get(field) ?? never);
  }
  return (raw) => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
    const json = { ...defaults };
    for (const [key, value] of Object.entries(raw)) {
      if (tests.get(key)?.(value) !== true) return undefined;
      json[key] = value;
    }
    return required.every((key) => json[key] !== undefined) ? (json as Json) : undefined;
  };
}

const never: PlainTest = () => false;
