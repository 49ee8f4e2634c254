import { digestHex, digestOf, parseDigest } from '@sediment/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDirVersion } from '../../src/documents/dirVersion.ts';
import { rawMembers, rawObject } from '../../src/documents/rawJson.ts';
import { schema1Config } from '../../src/documents/schema1Config.ts';
import { readSchema1Manifest } from '../../src/documents/schema1Manifest.ts';
import { signedPayload } from '../../src/documents/signedPayload.ts';
import { reencodeV1Image } from '../../src/documents/v1Image.ts';
import { json } from '../support/imageParts.ts';
import { schema1Image, signedManifest } from '../support/schema1.ts';

const ID = (digit: string) => digit.repeat(64);

/** skopeo 1.9.3 recorded this image with this id and these DiffIDs. */
const GOLDEN = {
  id: '497b4710eb7202f8758fcc0c0f645130aecfcec3d8fd06b9d71f08315033ed28',
  diffIDs: [
    'sha256:6e2650cb4d8dc58f2a45adbf31be49e15299e6dc0af40b2aa3e91772be456826',
    'sha256:22a4b9aad287d81da6bcb7b5a1ae9a591c8759013de19637a6bf64aab20e145c',
  ],
  history: [
    {
      id: ID('3'),
      parent: ID('2'),
      created: '2020-01-03T00:00:00.5Z',
      os: 'linux',
      architecture: 'amd64',
      docker_version: '19.0',
      config: { Env: ['A=<b>&'], Cmd: ['sh'] },
      container_config: { Cmd: ['/bin/sh', '-c', '#(nop) CMD'] },
      throwaway: true,
      comment: 'c\u2028x',
      author: 'me',
    },
    { id: ID('2'), parent: ID('1'), created: '2020-01-02T00:00:00Z', container_config: { Cmd: ['b'] } },
    { id: ID('1'), created: '2020-01-01T00:00:00Z', container_config: { Cmd: ['a'] } },
  ],
};

function read(value: unknown) {
  return readSchema1Manifest(value, { bytes: json(value), what: 'it', path: '', code: 'MANIFEST_INVALID' });
}

describe('the config of a schema 1 manifest', () => {
  it('has the digest that skopeo takes for the image id', () => {
    const manifest = read({
      schemaVersion: 1,
      fsLayers: GOLDEN.history.map(() => ({ blobSum: digestOf('x') })),
      // As Python prints it: U+2028 is escaped, and there are spaces.
      history: GOLDEN.history.map((entry) => ({
        v1Compatibility: JSON.stringify(entry).replaceAll('\u2028', '\\u2028').replaceAll('":', '": '),
      })),
    });
    const config = schema1Config(
      manifest,
      GOLDEN.diffIDs.map((text) => parseDigest(text)),
    );
    expect(digestHex(digestOf(config))).toBe(GOLDEN.id);
    expect(manifest.steps.map(({ isThrowaway }) => isThrowaway)).toEqual([false, false, true]);
  });

  it('counts steps that follow each other with one id once', () => {
    const [a, b] = [{ id: ID('a') }, { id: ID('b'), parent: ID('a') }];
    const entries = [b, b, a, a].map((entry) => ({ v1Compatibility: JSON.stringify(entry) }));
    const fsLayers = ['1', '2', '3', '4'].map((text) => ({ blobSum: digestOf(text) }));
    const { steps } = read({ schemaVersion: 1, fsLayers, history: entries });
    expect(steps.map(({ blob }) => blob)).toEqual([digestOf('4'), digestOf('2')]);
  });

  it.each([
    ['an id that comes back', ['a', 'b', 'a'], 'appears multiple times in manifest'],
    ['a wrong parent', ['a', 'b'], 'Invalid parent ID. Expected'],
  ])('is refused for %s', (_, ids, message) => {
    const history = ids.map((id, i) => {
      const next = ids[i + 1];
      const parent = next === undefined || ids.length === 2 ? {} : { parent: ID(next) };
      return { v1Compatibility: JSON.stringify({ id: ID(id), ...parent }) };
    });
    const fsLayers = ids.map((id) => ({ blobSum: digestOf(id) }));
    expect(() => read({ schemaVersion: 1, fsLayers, history })).toThrow(message);
  });

  it('is encoded anew for Docker before 1.8.3 only', () => {
    for (const version of ['1.8.3', '1.10.0', '1.9', '17.03.1-ce', '']) {
      const text = JSON.stringify({ docker_version: version, x: 1 });
      expect(reencodeV1Image(text)).toBe(text);
    }
    for (const version of ['1.8.2', '1.8', '0.9.1', 'dev']) {
      const text = reencodeV1Image(JSON.stringify({ docker_version: version, x: 1 }));
      expect(JSON.parse(text)).toMatchObject({
        created: '0001-01-01T00:00:00Z',
        container_config: { Cmd: null },
      });
      expect(text).not.toContain('"x"');
    }
  });
});

describe('raw members of a JSON object', () => {
  it('keep numbers, doubled keys and escapes as they are, and lose spaces', () => {
    const text = '{ "b" : [ 1.50E+3 , -0 ],\n"a":{"x":1,"x" : "\\u00e4<\\/"}, "b":{ } , "\\u0063":"" }';
    expect([...rawMembers(text)]).toEqual([
      ['b', '{}'],
      ['a', '{"x":1,"x":"\\u00e4\\u003c\\/"}'],
      ['c', '""'],
    ]);
  });

  it('are those of any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (value, indent) => {
        const written = rawObject(rawMembers(JSON.stringify(value, null, indent)));
        expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('the signed text of a manifest', () => {
  const { manifest } = schema1Image([{ layer: Buffer.alloc(1024) }]);
  const signed = signedManifest(manifest);

  it('is what was in front of the signatures and behind them', () => {
    expect(Buffer.from(signedPayload(signed) as Uint8Array).equals(manifest)).toBe(true);
  });

  it('is not there without signatures that tell of it', () => {
    const header = (value: unknown) => ({ protected: json(value).toString('base64url') });
    const good = { formatLength: 1, formatTail: '' };
    for (const value of [
      {},
      { signatures: null },
      { signatures: [] },
      { signatures: [{}] },
      { signatures: [{ protected: '!' }] },
      { signatures: [header({ formatLength: 0, formatTail: '' })] },
      { signatures: [header({ formatLength: 1e6, formatTail: '' })] },
      { signatures: [header(good), header({ ...good, formatLength: 2 })] },
    ]) {
      expect(signedPayload(json(value))).toBeUndefined();
    }
    expect(signedPayload(Buffer.from('{'))).toBeUndefined();
    expect(signedPayload(manifest)).toBeUndefined();
  });
});

describe('the version of an image directory', () => {
  it.each(['1.3', '2.0', '10.1'])('%s is later than what we know', (version) => {
    expect(() => checkDirVersion(`Directory Transport Version: ${version}\n`, '/x/version')).toThrow(
      'unsupported directory transport version',
    );
  });
});
