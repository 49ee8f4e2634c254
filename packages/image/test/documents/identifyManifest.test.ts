import { describe, expect, it } from 'vitest';
import { identifyManifest } from '../../src/documents/identifyManifest.ts';
import { DOCKER, OCI } from '../support/layout.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json';

function identify(value: unknown, declared = '') {
  return identifyManifest(value, declared, {
    bytes: new Uint8Array(),
    what: 'manifest x',
    path: '/some/where',
    code: 'MANIFEST_INVALID',
  });
}

describe('what a manifest is', () => {
  it.each([
    ['by its own type', { mediaType: OCI.index, manifests: [] }, '', { kind: 'index', mediaType: OCI.index }],
    [
      'by its own type before its descriptor’s',
      { mediaType: DOCKER.manifest },
      OCI.manifest,
      { kind: 'manifest', mediaType: DOCKER.manifest },
    ],
    [
      'by its descriptor',
      { config: {}, layers: [] },
      DOCKER.manifest,
      { kind: 'manifest', mediaType: DOCKER.manifest },
    ],
    [
      'by its descriptor, if its own type is not known',
      { mediaType: 'text/x' },
      OCI.index,
      { kind: 'index', mediaType: OCI.index },
    ],
    [
      'by an OCI config',
      { config: { mediaType: OCI.config } },
      '',
      { kind: 'manifest', mediaType: OCI.manifest },
    ],
    [
      'by a Docker config',
      { config: { mediaType: DOCKER.config } },
      'text/x',
      { kind: 'manifest', mediaType: DOCKER.manifest },
    ],
    ['by its manifests', { manifests: [{}] }, '', { kind: 'index', mediaType: OCI.index }],
    [
      'by the old schema version',
      { schemaVersion: 1, fsLayers: [], history: [] },
      '',
      { kind: 'schema1', mediaType: SCHEMA1 },
    ],
    ['by nothing', { layers: null }, '', { kind: 'manifest', mediaType: OCI.manifest }],
  ] as const)('%s', (_, value, declared, expected) => {
    expect(identify(value, declared)).toEqual(expected);
  });

  it.each([
    ['layers in an index', { mediaType: OCI.index, manifests: [], layers: [] }, '["layers"]'],
    [
      'manifests in an image',
      { mediaType: OCI.manifest, config: {}, layers: [], manifests: [] },
      '["manifests"]',
    ],
    [
      'layers of two kinds',
      { mediaType: DOCKER.manifest, layers: [], fsLayers: [], history: [] },
      '["fsLayers" "history"]',
    ],
    ['a config in an old manifest', { schemaVersion: 1, fsLayers: [], config: {} }, '["config"]'],
    [
      'a field in another case, which Go would take',
      { mediaType: OCI.manifest, layers: [], Layers: [] },
      '["Layers"]',
    ],
  ])('is ambiguous with %s', async (_, value, fields) => {
    const error = await storageErrorOf(() => identify(value));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain(
      `manifest x: rejecting ambiguous manifest, unexpected fields ${fields} in supposedly`,
    );
    expect(error.facts.path).toBe('/some/where');
    expect(error.hint).toBeTruthy();
  });

  it('is not what its descriptor says', async () => {
    const error = await storageErrorOf(() => identify({ mediaType: OCI.index }, DOCKER.manifest));
    expect(error).toMatchObject({
      code: 'MANIFEST_INVALID',
      facts: { expected: DOCKER.manifest, actual: OCI.index },
    });
  });

  it.each([[[]], [null], ['text'], [{ mediaType: 3 }], [{ manifests: {} }]])(
    'cannot be found out for %j',
    async (value) => {
      expect(await storageErrorOf(() => identify(value))).toMatchObject({ code: 'MANIFEST_INVALID' });
    },
  );
});
