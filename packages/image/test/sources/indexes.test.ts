import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { parsePlatform } from '../../src/platforms/platform.ts';
import type { OpenedIndex, OpenedManifest } from '../../src/sources/imageSource.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { writeDirImage } from '../support/dirImage.ts';
import { json, layerTar, type RawDescriptor } from '../support/imageParts.ts';
import { layerBytes } from '../support/layerBytes.ts';
import { Layout, OCI } from '../support/layout.ts';
import { schema1Image } from '../support/schema1.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const FORMS = ['oci', 'oci-archive', 'dir'] as const;
const at = (text: string) => ({ platform: parsePlatform(text) });

function written(form: (typeof FORMS)[number], layout: Layout, top: RawDescriptor): string {
  if (form === 'dir') return `dir:${writeDirImage(scratch(), layout, top)}`;
  layout.entries(top);
  return `${form}:${form === 'oci' ? layout.writeTo(scratch()) : scratchFile(layout.tar())}`;
}

function imageFor(layout: Layout, text: string, more: Record<string, unknown> = {}): RawDescriptor {
  const platform = parsePlatform(text);
  return { ...layout.image({ layers: [layerTar(text)], config: { ...platform } }), platform, ...more };
}

/** All that an index names, as text, with all blobs read. */
async function outline(whole: OpenedManifest | OpenedIndex): Promise<unknown> {
  expect(digestOf(whole.document.bytes)).toBe(whole.document.digest);
  if ('blobs' in whole) {
    for (const blob of whole.blobs) {
      const bytes = await layerBytes(blob);
      expect(digestOf(bytes)).toBe(blob.digest);
      expect(bytes).toHaveLength(blob.size);
    }
    return whole.blobs.map(({ digest }) => digest);
  }
  const instances: unknown[] = [];
  for (const { descriptor, open } of whole.instances) {
    const instance = await open();
    expect(instance.document.digest).toBe(descriptor.digest);
    instances.push(await outline(instance));
  }
  return instances;
}

describe.each(FORMS)('an index in %s', (form) => {
  it('is opened whole: images, artifacts, attestations, other indexes', async () => {
    const layout = new Layout();
    const empty = layout.put('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
    const statement = layout.put('application/vnd.in-toto+json', json({ _type: 'Statement' }));
    const amd = imageFor(layout, 'linux/amd64');
    const arm = imageFor(layout, 'linux/arm64');
    const artifact = layout.image({
      manifest: { config: empty, layers: [empty], artifactType: 'application/x' },
    });
    const attestation = {
      ...layout.image({ layers: [], manifest: { layers: [statement] } }),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const withdrawn = layout.put(
      'application/vnd.oci.artifact.manifest.v1+json',
      json({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.artifact.manifest.v1+json',
        blobs: [statement],
      }),
    );
    const inner = layout.index([arm, artifact]);
    const top = layout.index([amd, inner, attestation, withdrawn]);
    await using source = await openImageSource(written(form, layout, top));
    const index = await source.images[0]?.openIndex?.();
    expect(index?.document).toMatchObject({ digest: top.digest, mediaType: OCI.index });
    expect(index?.instances[2]?.descriptor).toMatchObject({ annotations: attestation.annotations });
    const blobsOf = ({ digest }: RawDescriptor) => {
      const bytes = layout.files.get(`blobs/sha256/${digest.slice(7)}`) as Buffer;
      const { config, layers = [], blobs = [] } = JSON.parse(bytes.toString());
      return [...(config === undefined ? [] : [config]), ...layers, ...blobs].map(
        (each: { digest: string }) => each.digest,
      );
    };
    expect(await outline(index as OpenedIndex)).toEqual([
      blobsOf(amd),
      [blobsOf(arm), blobsOf(artifact)],
      blobsOf(attestation),
      blobsOf(withdrawn),
    ]);
  });

  it('lists what is missing, and fails when that is opened', async () => {
    const layout = new Layout();
    const there = imageFor(layout, 'linux/amd64');
    const missing = imageFor(new Layout(), 'linux/arm64');
    await using source = await openImageSource(written(form, layout, layout.index([there, missing])));
    const index = await source.images[0]?.openIndex?.();
    expect(index?.instances).toHaveLength(2);
    await index?.instances[0]?.open();
    const error = await storageErrorOf(() => index?.instances[1]?.open());
    expect(error).toMatchObject({ code: 'BLOB_MISSING', facts: { object: missing.digest } });
    expect(await source.images[0]?.open(at('linux/amd64'))).toBeDefined();
  });

  it('may hold a manifest of Docker schema 1', async () => {
    const layout = new Layout();
    const old = schema1Image([{ layer: layerTar('a') }, { fields: { os: 'linux', architecture: 'amd64' } }]);
    for (const bytes of old.blobs.values()) layout.put('', bytes);
    const entry = layout.put(
      'application/vnd.docker.distribution.manifest.v1+json',
      old.manifest,
      at('linux/amd64'),
    );
    await using source = await openImageSource(written(form, layout, layout.index([entry])));
    expect(await outline((await source.images[0]?.openIndex?.()) as OpenedIndex)).toEqual([
      [...old.blobs.keys()],
    ]);
    const image = await source.images[0]?.open(at('linux/amd64'));
    expect(image?.layers).toHaveLength(1);
    expect(image?.throwaways).toHaveLength(1);
    const whole = await source.images[0]?.openManifest?.(at('linux/amd64'));
    expect(whole?.blobs.map(({ digest }) => digest)).toEqual([...old.blobs.keys()]);
  });

  it('chooses the platform from indexes inside each other, up to eight', async () => {
    const layout = new Layout();
    const amd = imageFor(layout, 'linux/amd64');
    let entry = layout.index([imageFor(layout, 'linux/s390x'), amd]);
    for (let depth = 2; depth <= 8; depth++) {
      entry = layout.index([imageFor(layout, `linux/riscv6${depth}`), entry]);
    }
    await using source = await openImageSource(written(form, layout, entry));
    const image = source.images[0];
    expect(await image?.platforms()).toHaveLength(9);
    const opened = await image?.open(at('linux/amd64'));
    expect((await opened?.manifest())?.digest).toBe(amd.digest);
    expect(opened?.index?.digest).toBe(entry.digest);
    const whole = await image?.openManifest?.(at('linux/amd64'));
    expect(whole?.document.digest).toBe(amd.digest);
    const none = await storageErrorOf(() => image?.open(at('linux/mips')));
    expect(none.code).toBe('PLATFORM_NOT_FOUND');
    expect(none.hint).toContain('linux/s390x');
  });

  it('takes the platform of an inner index for entries that have none', async () => {
    const layout = new Layout();
    const [a, b] = ['a', 'b'].map((name) => layout.image({ layers: [layerTar(name)] })) as [
      RawDescriptor,
      RawDescriptor,
    ];
    const top = layout.index([
      { ...layout.index([a]), ...at('linux/arm64') },
      { ...layout.index([b]), ...at('linux/amd64') },
    ]);
    await using source = await openImageSource(written(form, layout, top));
    const opened = await source.images[0]?.open(at('linux/amd64'));
    expect((await opened?.manifest())?.digest).toBe(b.digest);
  });

  it('may name one index many times without being read as often', async () => {
    const layout = new Layout();
    let entry = layout.index([imageFor(layout, 'linux/amd64')]);
    for (let depth = 2; depth <= 8; depth++) entry = layout.index(Array(50).fill(entry));
    await using source = await openImageSource(written(form, layout, entry));
    expect(await source.images[0]?.platforms()).toHaveLength(1);
    expect(await source.images[0]?.open(at('linux/amd64'))).toBeDefined();
  });

  it('may name an index without saying that it is one', async () => {
    const layout = new Layout();
    const { mediaType: _, ...inner } = layout.index([imageFor(layout, 'linux/amd64')]);
    await using source = await openImageSource(written(form, layout, layout.index([inner])));
    expect(await source.images[0]?.open(at('linux/amd64'))).toBeDefined();
  });
});

describe('an index with more inside each other than eight', () => {
  it('is refused also when it is opened whole', async () => {
    const layout = new Layout();
    let entry = layout.index([imageFor(layout, 'linux/amd64')]);
    for (let depth = 2; depth <= 9; depth++) entry = layout.index([entry]);
    await using source = await openImageSource(written('oci', layout, entry));
    const index = await source.images[0]?.openIndex?.();
    const error = await storageErrorOf(() => outline(index as OpenedIndex));
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(error.message).toContain('more than 8 indexes lie inside each other');
  });
});

describe('an image whose platform alone was copied', () => {
  it('is found in an inner index, though another one is missing', async () => {
    const layout = new Layout();
    const lost = layout.index([imageFor(layout, 'linux/arm64')]);
    const top = layout.index([lost, layout.index([imageFor(layout, 'linux/amd64')])]);
    const path = layout.entries(top).writeTo(scratch());
    rmSync(join(path, 'blobs/sha256', lost.digest.slice(7)));
    await using source = await openImageSource(`oci:${path}`);
    expect(await source.images[0]?.open(at('linux/amd64'))).toBeDefined();
  });
});
