import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { parsePlatform } from '../../src/platforms/platform.ts';
import type { OpenedImage } from '../../src/sources/imageSource.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { writeDirImage } from '../support/dirImage.ts';
import { configBytes, json, layerTar, type RawDescriptor } from '../support/imageParts.ts';
import { layerBytes } from '../support/layerBytes.ts';
import { Layout, OCI } from '../support/layout.ts';
import { schema1Image, signedManifest, writeDir } from '../support/schema1.ts';
import { scratch } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYER = layerTar('a');
const AMD64 = { platform: parsePlatform('linux/amd64') };
const NOWHERE = `sha256:${'0'.repeat(64)}`;
const MIB = 2 ** 20;

async function openOnly(path: string, options = AMD64): Promise<OpenedImage> {
  await using source = await openImageSource(`dir:${path}`);
  return (await source.images[0]?.open(options)) as OpenedImage;
}

/** A directory with one image. */
function dirOf(manifest: Record<string, unknown> = {}): string {
  const layout = new Layout();
  return writeDirImage(scratch(), layout, layout.image({ layers: [LAYER], manifest }));
}

/** A directory with an index of two platforms, and their descriptors. */
function dirOfTwo(): { path: string; amd: RawDescriptor; arm: RawDescriptor; index: RawDescriptor } {
  const layout = new Layout();
  const [amd, arm] = ['amd64', 'arm64'].map((architecture) => ({
    ...layout.image({ layers: [layerTar(architecture)], config: { architecture } }),
    platform: { os: 'linux', architecture },
  })) as unknown as [RawDescriptor, RawDescriptor];
  const index = layout.index([amd, arm]);
  return { path: writeDirImage(scratch(), layout, index), amd, arm, index };
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

describe('an image directory', () => {
  it.each(['Directory Transport Version: 1.0\n', 'Directory Transport Version: 1.2\n', undefined])(
    'may have the version %j',
    async (version) => {
      const path = dirOf();
      if (version === undefined) rmSync(join(path, 'version'));
      else writeFileSync(join(path, 'version'), version);
      expect((await openOnly(path)).layers).toHaveLength(1);
    },
  );

  it('has no names, not even that of the directory', async () => {
    await using source = await openImageSource(dirOf());
    expect(source.fallbackName).toBeUndefined();
    expect(source.images[0]?.names).toEqual([]);
  });

  it('may consist of links', async () => {
    const path = dirOf();
    const link = join(scratch(), 'link');
    symlinkSync(path, link);
    expect((await openOnly(link)).layers).toHaveLength(1);
  });

  it('may have a colon in its path', async () => {
    const layout = new Layout();
    const path = writeDirImage(join(scratch(), 'a:b'), layout, layout.image({ layers: [LAYER] }));
    expect((await openOnly(path)).layers).toHaveLength(1);
  });

  it.each([`sha512-`, ''])('may have blobs of another algorithm (%j in front)', async (prefix) => {
    const path = dirOf();
    const digest = digestOf(LAYER, 'sha512');
    writeFileSync(join(path, `${prefix}${hexOf(digest)}`), LAYER);
    const layers = [{ mediaType: OCI.layer, digest, size: LAYER.length }];
    const config = {
      mediaType: OCI.config,
      digest: digestOf(configBytes([LAYER])),
      size: configBytes([LAYER]).length,
    };
    writeFileSync(
      join(path, 'manifest.json'),
      json({ schemaVersion: 2, mediaType: OCI.manifest, config, layers }),
    );
    const [layer] = (await openOnly(path)).layers;
    expect(layer?.digest).toBe(digest);
    expect((await layerBytes(layer as NonNullable<typeof layer>)).equals(LAYER)).toBe(true);
  });

  it('has signatures, numbered from 1 without a gap', async () => {
    const path = dirOf();
    for (const [i, text] of [
      [1, 'one'],
      [2, ''],
      [4, 'four'],
    ])
      writeFileSync(join(path, `signature-${i}`), text as string);
    const { signatures } = await openOnly(path);
    expect(signatures.map((bytes) => Buffer.from(bytes).toString())).toEqual(['one', '']);
  });

  it('chooses from an index, with the signatures of the instance', async () => {
    const { path, arm, index } = dirOfTwo();
    writeFileSync(join(path, 'signature-1'), 'of the index');
    writeFileSync(join(path, `${hexOf(arm.digest)}.signature-1`), 'of the instance');
    const image = await openOnly(path, { platform: parsePlatform('linux/arm64') });
    expect((await image.manifest()).digest).toBe(arm.digest);
    expect(image.index?.digest).toBe(index.digest);
    expect(image.signatures.map((bytes) => Buffer.from(bytes).toString())).toEqual(['of the instance']);
    await using source = await openImageSource(path);
    expect(await source.images[0]?.platforms()).toEqual([AMD64.platform, parsePlatform('linux/arm64')]);
    expect(source.images[0]?.digest).toBe(index.digest);
  });

  it('may hold a signed manifest, whose digest is that of the text without the signatures', async () => {
    const { manifest, blobs } = schema1Image([
      { layer: LAYER, fields: { os: 'linux', architecture: 'amd64' } },
    ]);
    const path = writeDir(scratch(), signedManifest(manifest), blobs);
    const image = await openOnly(path);
    expect(await image.manifest()).toMatchObject({
      digest: digestOf(manifest),
      mediaType: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    });
    expect(image.configIsMade).toBe(true);
  });
});

interface BadDir {
  readonly make: () => string;
  readonly code: string;
  readonly message: string;
  /** Relative to the directory. */
  readonly file?: string;
  readonly hint?: string;
}

/** A good directory in which one thing is wrong. */
function spoiled(change: (path: string) => void): () => string {
  return () => {
    const path = dirOf();
    change(path);
    return path;
  };
}

const write = (name: string, bytes: string | Uint8Array) =>
  spoiled((path) => writeFileSync(join(path, name), bytes));

const BAD: Record<string, BadDir> = {
  'an empty directory': {
    make: () => scratch(),
    code: 'SOURCE_UNRECOGNIZED',
    message: 'it has no manifest.json',
    hint: 'skopeo copy',
  },
  'a later version': {
    make: write('version', 'Directory Transport Version: 2.0\n'),
    code: 'NOT_SUPPORTED',
    message: 'unsupported directory transport version "Directory Transport Version: 2.0\\n" at ',
    file: 'version',
  },
  'a version that is none': {
    make: write('version', 'Directory Transport Version: 1.1'),
    code: 'ARCHIVE_INVALID',
    message: 'invalid version format',
    file: 'version',
  },
  'a huge version': {
    make: write('version', Buffer.alloc(9 * MIB, 'x')),
    code: 'ARCHIVE_INVALID',
    message: 'invalid version format',
    file: 'version',
  },
  'a manifest that is a directory': {
    make: spoiled((path) => {
      rmSync(join(path, 'manifest.json'));
      mkdirSync(join(path, 'manifest.json'));
    }),
    code: 'ARCHIVE_INVALID',
    message: 'is not a regular file',
    file: 'manifest.json',
  },
  'a manifest that is no JSON': {
    make: write('manifest.json', '{'),
    code: 'MANIFEST_INVALID',
    message: 'it is not valid JSON',
    file: 'manifest.json',
  },
  'an empty manifest': {
    make: write('manifest.json', ''),
    code: 'MANIFEST_INVALID',
    message: 'it is not valid JSON',
    file: 'manifest.json',
  },
  'a manifest over 4 MiB': {
    make: write('manifest.json', Buffer.alloc(4 * MIB + 1, ' ')),
    code: 'DOCUMENT_TOO_LARGE',
    message: 'exceeded maximum allowed size of 4194304 bytes',
    file: 'manifest.json',
  },
  'an unpacked docker-archive': {
    make: write('manifest.json', '[{"Config":"x.json"}]'),
    code: 'SOURCE_UNRECOGNIZED',
    message: 'that of an unpacked docker-archive',
    hint: 'tar -C',
  },
  'an ambiguous manifest': {
    make: () => dirOf({ manifests: [] }),
    code: 'MANIFEST_INVALID',
    message: 'rejecting ambiguous manifest',
    file: 'manifest.json',
  },
  'a missing layer': {
    make: spoiled((path) => rmSync(join(path, hexOf(digestOf(LAYER))))),
    code: 'BLOB_MISSING',
    message: `reading blob ${digestOf(LAYER)}`,
    file: hexOf(digestOf(LAYER)),
  },
  'a truncated layer': {
    make: write(hexOf(digestOf(LAYER)), 'x'),
    code: 'SIZE_MISMATCH',
    message: 'has 1 bytes',
    file: hexOf(digestOf(LAYER)),
  },
  'a tampered config': {
    make: write(
      hexOf(digestOf(configBytes([LAYER]))),
      configBytes([LAYER]).toString().replace('amd64', 'arm64'),
    ),
    code: 'DIGEST_MISMATCH',
    message: 'Digest did not match',
    file: hexOf(digestOf(configBytes([LAYER]))),
  },
  'a digest that is a path': {
    make: () => dirOf({ layers: [{ mediaType: OCI.layer, digest: 'sha256:../../etc/passwd', size: 1 }] }),
    code: 'DIGEST_INVALID',
    message: 'is not a valid digest',
  },
  'a signature over 4 MiB': {
    make: write('signature-1', Buffer.alloc(4 * MIB + 1)),
    code: 'DOCUMENT_TOO_LARGE',
    message: 'signature 1 of ',
    file: 'signature-1',
  },
  'an index without the instance': {
    make: () => {
      const { path, amd } = dirOfTwo();
      rmSync(join(path, `${hexOf(amd.digest)}.manifest.json`));
      return path;
    },
    code: 'BLOB_MISSING',
    message: '.manifest.json: no such file',
  },
  'an index with another instance in its place': {
    make: () => {
      const { path, amd } = dirOfTwo();
      writeFileSync(join(path, `${hexOf(amd.digest)}.manifest.json`), ' '.repeat(amd.size));
      return path;
    },
    code: 'DIGEST_MISMATCH',
    message: 'Digest did not match, expected sha256:',
  },
  'an index of itself': {
    make: () => {
      const { path, index } = dirOfTwo();
      const entry = { mediaType: OCI.index, digest: NOWHERE, size: index.size };
      writeFileSync(
        join(path, 'manifest.json'),
        json({ schemaVersion: 2, mediaType: OCI.index, manifests: [entry] }),
      );
      return path;
    },
    code: 'BLOB_MISSING',
    message: `reading blob ${NOWHERE}`,
  },
};

describe('a bad image directory', () => {
  it.each(Object.entries(BAD))('%s', async (_, { make, code, message, file, hint }) => {
    const path = make();
    const error = await storageErrorOf(() => openOnly(path));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.hint).toBeTruthy();
    expect(error.hint).toContain(hint ?? '');
    if (code !== 'DIGEST_INVALID') expect(error.facts.path).toContain(path);
    if (file !== undefined) expect(error.facts.path).toBe(join(path, file));
  });

  it('is no directory', async () => {
    const file = join(dirOf(), 'manifest.json');
    expect(await storageErrorOf(() => openImageSource(`dir:${file}`))).toMatchObject({
      code: 'SOURCE_UNRECOGNIZED',
    });
    const missing = await storageErrorOf(() => openImageSource(`dir:${file}x`));
    expect(missing.code).toBe('SOURCE_NOT_FOUND');
  });
});
