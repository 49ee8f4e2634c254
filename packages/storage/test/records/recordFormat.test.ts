import type { Digest } from '@sediment/core';
import { StorageError } from '@sediment/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContainerRecord, containerFormat } from '../../src/records/containerRecord.ts';
import { ZERO_TIME } from '../../src/records/goTime.ts';
import { type ImageRecord, imageDigests, imageFormat } from '../../src/records/imageRecord.ts';
import type { ReadNext } from '../../src/records/jsonPieces.ts';
import { ExactNumber } from '../../src/records/jsonReader.ts';
import { type LayerRecord, layerFormat } from '../../src/records/layerRecord.ts';
import { mountpointFormat } from '../../src/records/mountpointRecord.ts';
import type { RecordFormat } from '../../src/records/recordFormat.ts';
import * as arbitraries from './recordArbitraries.ts';

const PATH = '/g/overlay-x/x.json';
const D = (digit: string) => `sha256:${digit.repeat(64)}`;

describe.each([
  ['layers', layerFormat, arbitraries.layerRecord],
  ['images', imageFormat, arbitraries.imageRecord],
  ['containers', containerFormat, arbitraries.containerRecord],
  ['mount points', mountpointFormat, arbitraries.mountpointRecord],
] as ReadonlyArray<[string, RecordFormat<object>, fc.Arbitrary<object>]>)('%s', (_, format, arbitrary) => {
  it('come back as they were written, with unknown keys', () => {
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 3 }), (records) => {
        const text = format.serialize(records, PATH);
        const read = format.parse(text, PATH);
        expect(read).toEqual(records);
        expect(format.serialize(read, PATH)).toBe(text);
        expect(format.parse(Buffer.from(text), PATH)).toEqual(records);
      }),
      { numRuns: 300 },
    );
  });

  it('come back from a file that is read in pieces, or are left to who reads it as a whole', () => {
    const input = fc.tuple(fc.array(arbitrary, { maxLength: 5 }), fc.integer({ min: 1, max: 300 }));
    fc.assert(
      fc.property(input, ([records, size]) => {
        const read = format.parseNext(reading(format.serialize(records, PATH), size));
        if (read !== undefined) expect(read).toEqual(records);
      }),
    );
  });

  it('are none in an empty file, an empty list and null', () => {
    for (const text of ['', '[]', 'null', ' [ ] \n']) expect(format.parse(text, PATH)).toEqual([]);
    expect(format.serialize([], PATH)).toBe('[]');
  });

  it.each([
    ['{}', 'holds no JSON array'],
    ['1', 'holds no JSON array'],
    ['[1]', 'record 0: expected an object, got 1'],
    ['[null]', 'record 0: expected an object, got null'],
    ['[[]]', 'record 0: expected an object, got []'],
    ['[{}]', 'record 0: key "id": expected a string, got nothing'],
    ['[{"id":7}]', 'record 0: key "id": expected a string, got 7'],
    ['[{"id":""}]', 'key "id": expected an id fit for a file name, got ""'],
    ['[{"id":".."}]', 'key "id": expected an id fit for a file name'],
    ['[{"id":"../../etc"}]', 'key "id": expected an id fit for a file name'],
  ])('refuse %s', (text, message) => {
    const error = refusal(() => format.parse(text, PATH));
    expect(error.code).toBe('RECORD_INVALID');
    expect(error.message).toContain(`loading "${PATH}"`);
    expect(error.message).toContain(message);
    expect(error.facts.path).toBe(PATH);
    expect(error.hint).toMatch(/backup/);
  });

  it('refuse a file that was cut off, at every length', () => {
    const text = format.serialize(fc.sample(arbitrary, { numRuns: 1, seed: 5 }), PATH);
    for (let length = 1; length < text.length; length++) {
      const error = refusal(() => format.parse(text.slice(0, length), PATH));
      // Where the text ends, or where the word or escape sequence begins that was cut off.
      const missed = Buffer.byteLength(text.slice(0, length)) - (error.facts.offset as number);
      expect(missed >= 0 && missed < 6).toBe(true);
    }
  });
});

describe('place of damage', () => {
  it('of syntax is given by line and byte', () => {
    const error = refusal(() => layerFormat.parse('[\n{"id":"é",\n"names":[}]', PATH));
    expect(error.message).toBe(`loading "${PATH}": line 3, byte 23: there is "}" where a value should be`);
    expect(error.facts).toMatchObject({ path: PATH, offset: 23 });
  });

  it.each([
    ['created', '"yesterday"', 'key "created": expected an RFC 3339 time'],
    ['created', '"2026-11-21 07:02:48Z"', 'key "created": expected an RFC 3339 time'],
    ['names', '"x"', 'key "names": expected an array of strings, got "x"'],
    ['names', '["x",1]', 'key "names" → 1: expected a string, got 1'],
    ['parent', '1', 'key "parent": expected a string, got 1'],
    ['diff-size', '"12"', 'key "diff-size": expected an integer, got "12"'],
    ['diff-size', '1.5', 'key "diff-size": expected an integer below 2^53, got 1.5'],
    ['diff-size', '9007199254740993', 'key "diff-size": expected an integer'],
    ['diff-digest', '"sha256:12"', 'key "diff-digest": expected a digest'],
    ['compression', '7', 'key "compression": expected a compression known to this version'],
    ['compression', '-1', 'key "compression": expected a compression known to this version'],
    ['uidset', '[-1]', 'key "uidset" → 0: expected an integer from 0 to 4294967295'],
    ['flags', '[]', 'key "flags": expected an object'],
    ['uidmap', '[{"container_id":"0"}]', 'key "uidmap" → 0 → "container_id": expected an integer'],
  ])('of type: %s = %s', (key, value, message) => {
    const good = `{"id":"a","created":"${ZERO_TIME}"}`;
    const error = refusal(() => layerFormat.parse(`[${good},{"id":"bad","${key}":${value}}]`, PATH));
    expect(error.message).toContain(`loading "${PATH}": record 1 (layer "bad"): ${message}`);
    expect(error.facts).toMatchObject({ path: PATH, object: 'bad' });
  });

  it('of an image is found in its maps too', () => {
    const text = '[{"id":"a","big-data-digests":{"manifest":"md5:1"}}]';
    expect(refusal(() => imageFormat.parse(text, PATH)).message).toContain(
      'key "big-data-digests" → "manifest"',
    );
    const sizes = '[{"id":"a","big-data-sizes":{"manifest":"1"}}]';
    expect(refusal(() => imageFormat.parse(sizes, PATH)).message).toContain(
      'key "big-data-sizes" → "manifest"',
    );
  });
});

describe('reading as Go does', () => {
  it('fills in what is absent or null', () => {
    const absent = layerFormat.parse('[{"id":"a"}]', PATH);
    const keys = [
      'names',
      'parent',
      'created',
      'diff-digest',
      'diff-size',
      'compression',
      'uidset',
      'flags',
      'uidmap',
    ];
    const nulls = `[{"id":"a",${keys.map((key) => `"${key}":null`).join(',')}}]`;
    expect(layerFormat.parse(nulls, PATH)).toEqual(absent);
    expect(absent).toEqual([
      {
        id: 'a',
        names: [],
        created: ZERO_TIME,
        compression: 'none',
        uidSet: [],
        gidSet: [],
        flags: {},
        uidMap: [],
        gidMap: [],
        bigDataNames: [],
        unknown: {},
      },
    ]);
  });

  it('takes zero values for absent ones', () => {
    const text = '[{"id":"a","parent":"","diff-digest":"","diff-size":0,"compression":0,"names":[]}]';
    expect(layerFormat.parse(text, PATH)).toEqual(layerFormat.parse('[{"id":"a"}]', PATH));
  });

  it('matches keys whatever their case, the last one counts', () => {
    const [layer] = layerFormat.parse('[{"ID":"x","id":"a","Diff-Size":5,"NAMES":["n"]}]', PATH);
    expect(layer).toMatchObject({ id: 'a', diffSize: 5, names: ['n'], unknown: {} });
  });

  it('knows all compressions by number', () => {
    const text = `[${[0, 1, 2, 3, 4].map((n) => `{"id":"${n}","compression":${n}}`).join(',')}]`;
    const found = layerFormat.parse(text, PATH).map((layer) => layer.compression);
    expect(found).toEqual(['none', 'bzip2', 'gzip', 'xz', 'zstd']);
  });

  it('reads a size that is an integer however it is spelt, and spells it as Go does', () => {
    const [record] = layerFormat.parse(`[{"id":"ab","created":"${ZERO_TIME}","diff-size":1.0}]`, PATH);
    expect(record).toMatchObject({ diffSize: 1 });
    expect(layerFormat.serialize([record as never], PATH)).toContain('"diff-size":1}');
  });

  it('keeps numbers of unknown keys that JavaScript cannot hold', () => {
    const text = `[{"id":"a","created":"${ZERO_TIME}","future":18446744073709551615,"f":[1.0]}]`;
    const layers = layerFormat.parse(text, PATH);
    expect(layers[0]?.unknown).toEqual({
      future: new ExactNumber('18446744073709551615'),
      f: [new ExactNumber('1.0')],
    });
    expect(layerFormat.serialize(layers, PATH)).toBe(text);
  });
});

describe('writing as Go does', () => {
  const image: ImageRecord = {
    id: 'i',
    names: ['a<b>&c'],
    namesHistory: [],
    mappedLayers: [],
    bigDataNames: ['foo.bar'],
    bigDataSizes: { 'foo.bar': 1, 'foo-bar': 2, 'Foo.bar': 0, '10': 3, '9': 4 },
    bigDataDigests: {},
    created: '2026-11-21T07:02:48.5+02:00',
    flags: { b: { z: 1, a: 2 }, a: true },
    unknown: { later: 1, and: { z: 1, a: 2 } },
  };

  it('puts keys in order, sorts maps by bytes, escapes and leaves out what is empty', () => {
    expect(imageFormat.serialize([image], PATH)).toBe(
      '[{"id":"i","names":["a\\u003cb\\u003e\\u0026c"],"big-data-names":["foo.bar"],' +
        '"big-data-sizes":{"10":3,"9":4,"Foo.bar":0,"foo-bar":2,"foo.bar":1},' +
        '"created":"2026-11-21T07:02:48.5+02:00","flags":{"a":true,"b":{"a":2,"z":1}},' +
        '"later":1,"and":{"z":1,"a":2}}]',
    );
  });

  it('sorts names beyond the basic plane behind all others', () => {
    const text = imageFormat.serialize([{ ...image, bigDataSizes: { '\u{1f600}': 1, '\uff5e': 2 } }], PATH);
    expect(text).toContain('"big-data-sizes":{"\uff5e":2,"\u{1f600}":1}');
  });

  it('keeps image and layer of a container even when they are empty', () => {
    const text = `[{"id":"c","image":"","layer":"","created":"${ZERO_TIME}"}]`;
    expect(containerFormat.serialize(containerFormat.parse('[{"id":"c"}]', PATH), PATH)).toBe(text);
  });

  it('writes all three numbers of an id map and all of a mount point', () => {
    const [container] = containerFormat.parse('[{"id":"c","uidmap":[{"size":1}]}]', PATH);
    expect(containerFormat.serialize([container as ContainerRecord], PATH)).toContain(
      '"uidmap":[{"container_id":0,"host_id":0,"size":1}]',
    );
    expect(mountpointFormat.serialize([{ id: 'l', path: '', count: 0, unknown: {} }], PATH)).toBe(
      '[{"id":"l","path":"","count":0}]',
    );
  });

  it.each([
    ['created', { created: '2026-11-21' }],
    ['created', { created: '2026-11-21T07:02:48.1234567891Z' }],
    ['id', { id: '' }],
    ['names', { names: 'x' }],
    ['big-data-sizes', { bigDataSizes: { a: 1.5 } }],
    ['big-data-sizes', { bigDataSizes: { a: Number.NaN } }],
    ['digest', { digest: 'sha256:1' }],
    ['flags', { flags: 'x' }],
    ['ID', { unknown: { ID: 'x' } }],
  ])('refuses a record whose %s is not readable: %j', (key, wrong) => {
    const error = refusal(() => imageFormat.serialize([image, { ...image, ...wrong } as ImageRecord], PATH));
    expect(error.code).toBe('RECORD_INVALID');
    expect(error.message).toContain(`writing "${PATH}": record 1`);
    expect(error.message).toContain(`key "${key}"`);
    expect(error.hint).toContain('nothing was written');
  });

  it.each([[1n], [Number.POSITIVE_INFINITY], [() => 1], [Symbol('s')]])(
    'refuses %s in flags as misuse',
    (value) => {
      expect(() => imageFormat.serialize([{ ...image, flags: { x: value } }], PATH)).toThrow(TypeError);
      expect(() => imageFormat.serialize([{ ...image, unknown: { x: [value] } }], PATH)).toThrow(TypeError);
    },
  );

  it('writes the same the first, the second and the third time', () => {
    const texts = Array.from({ length: 3 }, () => layerFormat.serialize(manyLayers(3), PATH));
    expect(new Set(texts).size).toBe(1);
  });

  it('writes very many records in pieces', () => {
    const pieces = layerFormat.pieces(manyLayers(5000), PATH);
    expect(pieces.length).toBeGreaterThan(4);
    expect(layerFormat.parse(Buffer.concat(pieces), PATH)).toEqual(manyLayers(5000));
  });

  it('freezes records, and writes a changed copy anew', () => {
    const [layer] = layerFormat.parse('[{"id":"a"}]', PATH) as [LayerRecord];
    expect(Object.isFrozen(layer)).toBe(true);
    const first = layerFormat.serialize([layer], PATH);
    expect(layerFormat.serialize([layer, { ...layer, names: ['n'] }], PATH)).toBe(
      `${first.slice(0, -1)},${first.slice(1).replace('"a",', '"a","names":["n"],')}`,
    );
    expect(layerFormat.serialize([layer], PATH)).toBe(first);
  });

  it('refuses a compression it has no number for', () => {
    const [layer] = layerFormat.parse('[{"id":"a"}]', PATH);
    const wrong = { ...(layer as LayerRecord), compression: 'lz4' as 'gzip' };
    expect(refusal(() => layerFormat.serialize([wrong], PATH)).message).toContain('"compression"');
  });
});

describe('imageDigests', () => {
  it('gives the own digest, then those of manifests, each once', () => {
    const text = `[{"id":"i","digest":"${D('1')}","big-data-digests":{"manifest-b":"${D('3')}","manifest":"${D('1')}","manifest-a":"${D('2')}","sha256:x":"${D('4')}"}}]`;
    expect(imageDigests(imageFormat.parse(text, PATH)[0] as ImageRecord)).toEqual([D('1'), D('2'), D('3')]);
  });
});

function refusal(fn: () => unknown): StorageError {
  try {
    fn();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('records that are read in pieces', () => {
  const text = layerFormat.serialize(manyLayers(5000), PATH);

  it.each([1000, 128 * 1024, 10 ** 9])('come back in order, %i bytes at a time', (size) => {
    expect(layerFormat.parseNext(reading(text, size))).toEqual(manyLayers(5000));
  });

  it('come back where one is larger than a piece, and where the text is indented', () => {
    const large = { ...(manyLayers(1)[0] as LayerRecord), metadata: 'é'.repeat(400_000) };
    const records = [...manyLayers(2), large, ...manyLayers(2)];
    expect(layerFormat.parseNext(reading(layerFormat.serialize(records, PATH)))).toEqual(records);
    const indented = JSON.stringify(JSON.parse(text), undefined, 2);
    expect(layerFormat.parseNext(reading(indented))).toEqual(manyLayers(5000));
  });

  it.each([
    [
      'a text that has the border of two records',
      `[{"id":"a","metadata":${JSON.stringify('"},{"id":"b"')}}]`,
    ],
    ['a name like that', `[{"id":"a","names":[${JSON.stringify('},{"id":"')}]},{"id":"b"}]`],
  ])('are not torn at %s', (_, whole) => {
    expect(layerFormat.parseNext(reading(whole))).toEqual(layerFormat.parse(whole, PATH));
  });

  it.each([
    ['border inside of a record', '[{"id":"a","future":[{},{"id":"b"}]}]'],
    ['border inside of several', '[{"id":"a","flags":{"x":[[{},{"id":"b"}],[{},{"id":"c"}]]}},{"id":"d"}]'],
    ['nothing', ''],
    ['null', 'null'],
    ['an object', '{"id":"a"}'],
    ['what is not JSON behind the first', '[{"id":"a"}]},{"id":"b"}]'],
    ['what is not JSON before the last', '[{"id":"a"},{"id":"b"},{"id":"c"]'],
    ['another value behind the end', '[{"id":"a"},{"id":"b"}][]'],
    ['a damaged one', '[{"id":"a"},{"id":"b","created":1},{"id":"c"}]'],
    ['an unknown key', '[{"id":"a"},{"id":"b","future":1},{"id":"c"}]'],
    ['the end missing', text.slice(0, -1)],
    ['the beginning missing', text.slice(1)],
  ])('are not judged with %s', (_, whole) => {
    expect(layerFormat.parseNext(reading(whole))).toBeUndefined();
  });
});

function manyLayers(count: number): LayerRecord[] {
  const plain = layerFormat.parse('[{"id":"a"}]', PATH)[0] as LayerRecord;
  return Array.from({ length: count }, (_, i) => ({
    ...plain,
    id: (i + 1).toString(16).padStart(64, '0'),
    created: '2026-11-21T07:02:48.5Z',
    diffDigest: D('a') as Digest,
    uidSet: [0, i],
  }));
}

/** A file of this text, of which each read gives so many bytes at most. */
function reading(text: string, size = 100_000): ReadNext {
  const bytes = Buffer.from(text);
  let position = 0;
  return (target, offset) => {
    const count = bytes.copy(target, offset, position, Math.min(bytes.length, position + size));
    position += count;
    return count;
  };
}
