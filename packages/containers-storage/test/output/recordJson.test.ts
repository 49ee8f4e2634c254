import { parseDigest } from '@sediment/core';
import { expect, it } from 'vitest';
import { jsonText } from '../../src/output/json.ts';
import { containerJson, imageJson, layerJson } from '../../src/output/recordJson.ts';

const DIGEST = parseDigest(`sha256:${'1'.repeat(64)}`);
const CREATED = '2026-01-02T03:04:05.6Z';
const MAP = { containerId: 0, hostId: 1000, size: 10 };

const LAYER = {
  id: 'l',
  names: [],
  created: CREATED,
  compression: 'none',
  flags: {},
  uidSet: [],
  gidSet: [],
  uidMap: [],
  gidMap: [],
  bigDataNames: [],
  readOnly: false,
} as const;

it('leaves empty fields of a layer out', () => {
  expect(jsonText(layerJson(LAYER))).toBe(`{"id":"l","created":"${CREATED}"}`);
});

it('writes all fields of a layer in the order of the Go command', () => {
  const layer = {
    ...LAYER,
    names: ['n'],
    parent: 'p',
    metadata: 'm',
    mountLabel: 'ml',
    compressedDigest: DIGEST,
    compressedSize: 5,
    diffID: DIGEST,
    tocDigest: DIGEST,
    diffSize: 9,
    compression: 'gzip',
    uidSet: [0, 5],
    gidSet: [0],
    flags: { z: 1, a: true },
    uidMap: [MAP],
    gidMap: [MAP],
    bigDataNames: ['i'],
    mountPoint: '/m',
    mountCount: 2,
  } as const;
  const map = '[{"container_id":0,"host_id":1000,"size":10}]';
  expect(jsonText(layerJson(layer))).toBe(
    `{"id":"l","names":["n"],"parent":"p","metadata":"m","mountlabel":"ml","created":"${CREATED}",` +
      `"compressed-diff-digest":"${DIGEST}","compressed-size":5,"diff-digest":"${DIGEST}",` +
      `"toc-digest":"${DIGEST}","diff-size":9,"compression":2,"uidset":[0,5],"gidset":[0],` +
      `"flags":{"a":true,"z":1},"uidmap":${map},"gidmap":${map},"big-data-names":["i"]}`,
  );
});

it.each([
  ['bzip2', 1],
  ['gzip', 2],
  ['xz', 3],
  ['zstd', 4],
] as const)('numbers the compression %s', (compression, number) => {
  expect(layerJson({ ...LAYER, compression })).toMatchObject({ compression: number });
});

it('writes all fields of an image in the order of the Go command', () => {
  const image = {
    id: 'i',
    digest: DIGEST,
    digests: [DIGEST],
    names: ['n'],
    namesHistory: ['n', 'old'],
    layer: 'l',
    mappedLayers: ['m'],
    metadata: 'text',
    bigData: [{ name: 'manifest', size: 0, digest: DIGEST }, { name: '10' }, { name: '9', size: 3 }],
    created: CREATED,
    flags: { f: 1 },
    readOnly: true,
  };
  expect(jsonText(imageJson(image))).toBe(
    `{"id":"i","digest":"${DIGEST}","names":["n"],"names-history":["n","old"],"layer":"l",` +
      `"mapped-layers":["m"],"metadata":"text","big-data-names":["manifest","10","9"],` +
      `"big-data-sizes":{"9":3,"manifest":0},"big-data-digests":{"manifest":"${DIGEST}"},` +
      `"created":"${CREATED}","flags":{"f":1}}`,
  );
});

it('always says which image a container has', () => {
  const container = {
    id: 'c',
    names: [],
    image: '',
    layer: 'l',
    bigData: [],
    created: CREATED,
    uidMap: [MAP],
    gidMap: [],
    flags: { Volatile: true, MountLabel: '', ProcessLabel: '' },
    volatile: true,
  };
  expect(jsonText(containerJson(container))).toBe(
    `{"id":"c","image":"","layer":"l","created":"${CREATED}",` +
      `"uidmap":[{"container_id":0,"host_id":1000,"size":10}],` +
      `"flags":{"MountLabel":"","ProcessLabel":"","Volatile":true}}`,
  );
});
