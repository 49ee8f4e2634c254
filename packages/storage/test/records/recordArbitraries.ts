/** Generators of records: every field, present or absent, with values that a Go program can read. */
import type { Compression, Digest } from '@sediment/core';
import * as fc from 'fast-check';
import type { ContainerRecord } from '../../src/records/containerRecord.ts';
import { goTimeFromNs, goTimeToNs, ZERO_TIME } from '../../src/records/goTime.ts';
import type { IdMap } from '../../src/records/idMap.ts';
import type { ImageRecord } from '../../src/records/imageRecord.ts';
import { ExactNumber } from '../../src/records/jsonReader.ts';
import type { LayerRecord } from '../../src/records/layerRecord.ts';
import type { MountpointRecord } from '../../src/records/mountpointRecord.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const id = hex(64);
const digest = fc.oneof(
  hex(64).map((digits) => `sha256:${digits}` as Digest),
  hex(128).map((digits) => `sha512:${digits}` as Digest),
);
/** Text with everything that Go escapes in its own way. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom('<', '>', '&', '\u2028', '\u2029', '"', '\\', '\n', '\0', '\x7f', 'é', '😀'),
  }),
);
const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const optionalText = optional(text.filter((value) => value !== ''));
const texts = fc.array(text, { maxLength: 3 });
const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const optionalSize = optional(size.filter((value) => value !== 0));
const uints = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 3 });
const created = fc.oneof(
  fc.constantFrom(ZERO_TIME, '2026-11-21T07:02:48.120+05:30', '2026-11-21T07:02:48-00:00'),
  fc.bigInt(goTimeToNs(ZERO_TIME), goTimeToNs('9999-12-31T23:59:59Z')).map(goTimeFromNs),
);
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
  fc.constantFrom('1.0', '1e2', '-0', '18446744073709551615').map((literal) => new ExactNumber(literal)),
);
const { json } = fc.letrec<{ json: unknown; key: string }>((tie) => ({
  key: text,
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    number,
    text,
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(tie('key'), tie('json'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const dictionary = <T>(values: fc.Arbitrary<T>) =>
  fc.dictionary(text, values, { maxKeys: 4, noNullPrototype: true });
const flags = fc.oneof(
  fc.constantFrom({}, { incomplete: true }, { MountLabel: '', ProcessLabel: '' }),
  dictionary(json),
);
/** Keys of later versions: no name of a known key. */
const unknown = fc.dictionary(
  text.map((name) => `x-${name}`),
  json,
  { maxKeys: 3, noNullPrototype: true },
);
const idMap: fc.Arbitrary<IdMap> = fc
  .record({ containerId: size, hostId: size, size, unknown: optional(unknown) })
  .map(({ unknown: extra, ...map }) =>
    extra && Object.keys(extra).length > 0 ? { ...map, unknown: extra } : map,
  );
const idMaps = fc.array(idMap, { maxLength: 2 });

export const layerRecord: fc.Arbitrary<LayerRecord> = fc.record({
  id,
  names: texts,
  parent: optional(id),
  metadata: optionalText,
  mountLabel: optionalText,
  created,
  compressedDiffDigest: optional(digest),
  compressedSize: optionalSize,
  diffDigest: optional(digest),
  tocDigest: optional(digest),
  diffSize: fc.oneof(optionalSize, fc.constant(-1)),
  compression: fc.constantFrom<Compression>('none', 'gzip', 'bzip2', 'xz', 'zstd'),
  uidSet: uints,
  gidSet: uints,
  flags,
  uidMap: idMaps,
  gidMap: idMaps,
  bigDataNames: texts,
  unknown,
});

export const imageRecord: fc.Arbitrary<ImageRecord> = fc.record({
  id,
  digest: optional(digest),
  names: texts,
  namesHistory: texts,
  layer: optional(id),
  mappedLayers: fc.array(id, { maxLength: 2 }),
  metadata: optionalText,
  bigDataNames: texts,
  bigDataSizes: dictionary(size),
  bigDataDigests: dictionary(digest),
  created,
  flags,
  unknown,
});

export const containerRecord: fc.Arbitrary<ContainerRecord> = fc.record({
  id,
  names: texts,
  image: fc.oneof(id, fc.constant('')),
  layer: fc.oneof(id, fc.constant('')),
  metadata: optionalText,
  bigDataNames: texts,
  bigDataSizes: dictionary(size),
  bigDataDigests: dictionary(digest),
  created,
  uidMap: idMaps,
  gidMap: idMaps,
  flags,
  unknown,
});

export const mountpointRecord: fc.Arbitrary<MountpointRecord> = fc.record({
  id,
  path: text,
  count: fc.integer({ min: 1 }),
  unknown,
});
