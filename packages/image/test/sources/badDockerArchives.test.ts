import { describe, expect, it } from 'vitest';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { type DockerImageInput, dockerEntries } from '../support/dockerArchive.ts';
import { json, layerTar } from '../support/imageParts.ts';
import { scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';
import { type TarInput, tarBytes } from '../support/tarBytes.ts';

const LAYERS = [layerTar('a'), layerTar('b')];
const MIB = 2 ** 20;

function image(input: Partial<DockerImageInput> = {}): TarInput[] {
  return dockerEntries([{ layers: LAYERS, ...input }]);
}

function without(entries: readonly TarInput[], pattern: RegExp): TarInput[] {
  return entries.filter(({ path }) => !pattern.test(path));
}

function manifest(value: unknown): TarInput {
  return { path: 'manifest.json', data: Buffer.isBuffer(value) ? value : json(value) };
}

interface BadArchive {
  readonly entries: readonly TarInput[];
  readonly code: string;
  readonly message: string;
  readonly object?: string;
}

const CASES: Record<string, BadArchive> = {
  'an index that is no JSON': {
    entries: [manifest(Buffer.from('[{'))],
    code: 'ARCHIVE_INVALID',
    message: 'manifest.json): it is not valid JSON',
  },
  'an index that is no list': {
    entries: [manifest({ Config: 'x' })],
    code: 'ARCHIVE_INVALID',
    message: 'expected array',
  },
  'an index without a config': {
    entries: [manifest([{ Layers: [] }])],
    code: 'ARCHIVE_INVALID',
    message: 'field "0.Config"',
  },
  'an index over 1 MiB': {
    entries: [manifest(Buffer.alloc(MIB + 1, ' '))],
    code: 'DOCUMENT_TOO_LARGE',
    message: 'exceeded maximum allowed size of 1048576 bytes',
  },
  'a missing config': {
    entries: without(image(), /^[0-9a-f]+\.json$/),
    code: 'BLOB_MISSING',
    message: '.json" is missing in the archive',
  },
  'a config outside of the archive': {
    entries: [manifest([{ Config: '../../../etc/passwd', Layers: [] }])],
    code: 'BLOB_MISSING',
    message: '"../../../etc/passwd" is missing in the archive',
    object: '../../../etc/passwd',
  },
  'a config over 4 MiB': {
    entries: [{ path: 'c', data: Buffer.alloc(4 * MIB + 1, ' ') }, manifest([{ Config: 'c', Layers: [] }])],
    code: 'DOCUMENT_TOO_LARGE',
    message: 'exceeded maximum allowed size of 4194304 bytes',
  },
  'a config without rootfs': {
    entries: image({ config: { rootfs: undefined } }),
    code: 'IMAGE_CONFIG_INVALID',
    message: 'Invalid image config (rootFS is not set)',
  },
  'a config that is no JSON': {
    entries: [{ path: 'c', data: 'x' }, manifest([{ Config: 'c', Layers: [] }])],
    code: 'IMAGE_CONFIG_INVALID',
    message: 'it is not valid JSON',
  },
  'fewer layers than the config has': {
    entries: image({ item: { Layers: ['x.tar'] } }),
    code: 'IMAGE_CONFIG_INVALID',
    message: 'Inconsistent layer count: 1 in manifest, 2 in config',
  },
  'a missing layer': {
    entries: without(image(), /\.tar$/),
    code: 'BLOB_MISSING',
    message: 'layer 0 of image @0 of',
  },
  'one file for two layers': {
    entries: [{ path: 'x', data: LAYERS[0] as Buffer }, ...image({ item: { Layers: ['x', './x'] } })],
    code: 'ARCHIVE_INVALID',
    message: '"x" is said to be two layers',
    object: 'x',
  },
  'a layer that is a hard link': {
    entries: [
      { path: 'y', data: LAYERS[0] as Buffer },
      { path: 'x', type: '1', linkpath: 'y' },
      ...image({ item: { Layers: ['x', 'y'] } }),
    ],
    code: 'ARCHIVE_INVALID',
    message: '"x" is a hard link',
    object: 'x',
  },
};

describe('a bad docker-archive', () => {
  it.each(Object.entries(CASES))('%s', async (_, { entries, code, message, object }) => {
    const path = scratchFile(tarBytes(entries));
    const error = await storageErrorOf(async () => {
      await using source = await openImageSource(`docker-archive:${path}`);
      await source.images[0]?.open();
    });
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.facts.path).toBe(path);
    expect(error.hint).toBeTruthy();
    if (object !== undefined) expect(error.facts.object).toBe(object);
  });
});
