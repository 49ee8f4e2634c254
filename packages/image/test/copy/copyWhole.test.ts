import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import type { CopyEvent } from '../../src/copy/copyEvents.ts';
import { copyImage, copyImages } from '../../src/copy/copyImages.ts';
import { parsePlatform } from '../../src/platforms/platform.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { json, layerTar } from '../support/imageParts.ts';
import { Layout, named, OCI } from '../support/layout.ts';
import { scratch } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/s390x'];
const shared = layerTar('shared');

const place = (name: string): string => join(scratch(), name);

function platformImage(layout: Layout, text: string) {
  const { os, architecture } = parsePlatform(text);
  const own = layerTar(text);
  const image = layout.image({
    layers: [shared, own],
    blobs: [gzipSync(shared), gzipSync(own)],
    config: { os, architecture },
  });
  return { ...image, platform: { os, architecture } };
}

/** Three platforms, the last one in an index inside the index, and an attestation beside them. */
function nestedIndex(layout: Layout) {
  const [amd64, arm64, s390x] = PLATFORMS.map((text) => platformImage(layout, text));
  return layout.index([amd64, arm64, layout.index([s390x]), artifact(layout)], named('multi'));
}

function artifact(layout: Layout) {
  const empty = layout.put('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const layers = [layout.put('application/vnd.example.sbom', Buffer.from('a list'))];
  const manifest = { schemaVersion: 2, mediaType: OCI.manifest, artifactType: 'x/y', config: empty, layers };
  return layout.put(OCI.manifest, json(manifest));
}

describe('a copy of an index with all its platforms', () => {
  it('is the same index everywhere, with each platform', async () => {
    const layout = new Layout();
    const index = nestedIndex(layout);
    let last = `oci:${layout.entries(index).writeTo(place('in'))}`;
    for (const transport of ['oci-archive', 'dir', 'oci', 'oci-archive']) {
      const to = `${transport}:${place('out')}`;
      const events: CopyEvent[] = [];
      const onProgress = (event: CopyEvent) => events.push(event);
      const copied = await copyImage(last, to, { allPlatforms: true, preserveDigests: true, onProgress });
      expect(copied).toMatchObject({ manifestDigest: index.digest, sourceDigest: index.digest });
      expect(events[0]).toMatchObject({ type: 'image-start', layers: { length: copied.layers.length } });
      expect(new Set(copied.layers.map(({ digest }) => digest)).size).toBe(copied.layers.length);
      await using source = await openImageSource(to);
      for (const text of PLATFORMS) {
        const opened = await source.images[0]?.open({ platform: parsePlatform(text) });
        expect(opened?.index?.digest).toBe(index.digest);
        expect(opened?.layers).toHaveLength(2);
      }
      last = to;
    }
  });

  it('is a copy of one image where the source has no index', async () => {
    const layout = new Layout();
    const image = platformImage(layout, 'linux/amd64');
    const from = `oci:${layout.entries(image).writeTo(place('in'))}`;
    const copied = await copyImage(from, `docker-archive:${place('out')}`, { allPlatforms: true });
    expect(copied.layers).toHaveLength(2);
  });

  it('is refused where it cannot be, before anything is written', async () => {
    const layout = new Layout();
    const from = `oci:${layout.entries(nestedIndex(layout)).writeTo(place('in'))}`;
    const refused = [
      ['docker-archive', {}, 'INDEX_UNSUPPORTED'],
      ['oci', { format: 'v2s2' }, 'NOT_SUPPORTED'],
      ['oci', { compression: 'zstd' }, 'NOT_SUPPORTED'],
    ] as const;
    for (const [transport, options, code] of refused) {
      const out = place('out');
      const error = await storageErrorOf(() =>
        copyImage(from, `${transport}:${out}`, { ...options, allPlatforms: true }),
      );
      expect(error).toMatchObject({ code, hint: expect.any(String) });
      expect(existsSync(out)).toBe(false);
    }
  });

  it('needs all of its platforms', async () => {
    const layout = new Layout();
    const from = layout.entries(nestedIndex(layout)).writeTo(place('in'));
    rmSync(join(from, Layout.pathOf(gzipSync(layerTar('linux/arm64')))));
    const out = place('out');
    const error = await storageErrorOf(() => copyImage(`oci:${from}`, `oci:${out}`, { allPlatforms: true }));
    expect(error.code).toBe('BLOB_MISSING');
    expect(existsSync(out)).toBe(false);
    expect(await copyImage(`oci:${from}`, `oci:${out}`, { platform: 'linux/amd64' })).toBeDefined();
  });
});

describe('a copy of an artifact', () => {
  it('has its bytes, where blobs stay as they are', async () => {
    const layout = new Layout();
    const { digest } = artifact(layout);
    const from = `oci:${layout.entries(artifact(layout)).writeTo(place('in'))}`;
    for (const transport of ['oci', 'oci-archive', 'dir']) {
      const copied = await copyImage(from, `${transport}:${place('out')}`);
      expect(copied.manifestDigest).toBe(digest);
      expect(copied.id).toBeUndefined();
      expect(copied.layers.map((blob) => blob.digest)).toEqual([
        digestOf(Buffer.from('{}')),
        digestOf(Buffer.from('a list')),
      ]);
    }
    const error = await storageErrorOf(() => copyImage(from, `docker-archive:${place('out')}`));
    expect(error.code).toBe('ARTIFACT_UNSUPPORTED');
    const changed = await storageErrorOf(() => copyImage(from, `oci:${place('x')}`, { compression: 'gzip' }));
    expect(changed.code).toBe('NOT_SUPPORTED');
  });

  it('beside images is left out where it cannot be, with a warning', async () => {
    const layout = new Layout();
    const image = platformImage(layout, 'linux/amd64');
    const from = `oci:${layout.entries({ ...image, ...named('a:1') }, artifact(layout)).writeTo(place('in'))}`;
    const codes: string[] = [];
    const options = { onWarning: ({ code }: { code: string }) => codes.push(code) };
    expect(await copyImages(from, `docker-archive:${place('out')}`, options)).toHaveLength(1);
    expect(codes).toEqual(['ARTIFACT_SKIPPED']);
    expect(await copyImages(from, `oci:${place('all')}`, options)).toHaveLength(2);
  });
});
