/**
 * What every source of images must do, whatever form it reads and whoever wrote it. Each test makes its own source
 * of one image with the layers {@link SOURCE_LAYERS}.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { digestOf } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { identifyManifest } from '../../src/documents/identifyManifest.ts';
import { importImage } from '../../src/import/importImage.ts';
import { parsePlatform } from '../../src/platforms/platform.ts';
import type { Transport } from '../../src/references/transports.ts';
import { chooseImages } from '../../src/sources/chooseImages.ts';
import type { ImageSource, LayerSource, OpenedImage } from '../../src/sources/imageSource.ts';
import { configBytes, layerTar } from './imageParts.ts';
import { collect, layerBytes, plainBytes } from './layerBytes.ts';
import { RecordingStore } from './recordingStore.ts';
import { storageErrorOf } from './storageErrorOf.ts';

/** One longer than a chunk, however compressed, and one that occurs twice. */
export const SOURCE_LAYERS: readonly Buffer[] = [
  layerTar('etc/a'),
  layerTar('usr/big', randomBytes(500_000).toString('hex')),
  layerTar('etc/a'),
];
export const SOURCE_CONFIG = configBytes(SOURCE_LAYERS);
export const AMD64 = { platform: parsePlatform('linux/amd64') };

export interface SourceFixture extends AsyncDisposable {
  readonly source: ImageSource;
}

export interface SourceSuite {
  readonly transport: Transport;
  /** The names that the image must have there. */
  readonly names: readonly string[];
  /** Whether the writer keeps the config as it is. */
  readonly keepsConfig?: boolean;
  readonly make: () => Promise<SourceFixture>;
}

export function describeSource(title: string, suite: SourceSuite): void {
  const { transport, names, keepsConfig = true, make } = suite;
  const withImage = async (fn: (image: OpenedImage, source: ImageSource) => Promise<void>) => {
    await using fixture = await make();
    const image = await fixture.source.images[0]?.open(AMD64);
    if (image === undefined) throw new Error('the source holds no image');
    await fn(image, fixture.source);
  };

  describe(title, () => {
    it('lists its one image', async () => {
      await using fixture = await make();
      const { source } = fixture;
      expect(source.transport).toBe(transport);
      expect(source.location).not.toBe('');
      expect(source.images).toHaveLength(1);
      expect(source.images[0]).toMatchObject({ positions: [0], names });
      expect(await source.images[0]?.platforms()).toEqual([AMD64.platform]);
      expect(chooseImages(source, { select: { index: 0 } })).toEqual(source.images);
      for (const name of names) expect(chooseImages(source, { select: { name } })).toEqual(source.images);
      const error = await storageErrorOf(() => chooseImages(source, { select: { name: 'other:1' } }));
      expect(error.code).toBe('IMAGE_NOT_IN_SOURCE');
    });

    it('gives config and manifest, which belong together', async () => {
      await withImage(async (image) => {
        const { config } = image;
        if (keepsConfig) expect(Buffer.from(config.bytes).toString()).toBe(SOURCE_CONFIG.toString());
        expect(digestOf(config.bytes)).toBe(config.digest);
        expect(image.configIsMade ?? false).toBe(false);
        expect(image.platform).toEqual(AMD64.platform);
        expect(image.created).toBe('2021-03-04T05:06:07.123456789Z');
        expect(image.signatures).toEqual([]);
        const manifest = await image.manifest();
        expect(digestOf(manifest.bytes)).toBe(manifest.digest);
        const value = JSON.parse(Buffer.from(manifest.bytes).toString());
        const document = { bytes: manifest.bytes, what: 'it', path: '', code: 'MANIFEST_INVALID' } as const;
        expect(identifyManifest(value, '', document)).toEqual({
          kind: 'manifest',
          mediaType: manifest.mediaType,
        });
        expect(value.config).toMatchObject({
          digest: config.digest,
          size: config.bytes.length,
          mediaType: config.mediaType,
        });
        expect(value.layers).toHaveLength(SOURCE_LAYERS.length);
      });
    });

    it('gives the layers, again and again, with the digests and sizes that it claims', async () => {
      await withImage(async ({ layers }) => {
        expect(layers.map(({ diffID }) => diffID)).toEqual(SOURCE_LAYERS.map((layer) => digestOf(layer)));
        for (const [i, layer] of layers.entries()) {
          for (const _ of ['once', 'twice']) {
            const bytes = await layerBytes(layer);
            expect(bytes).toHaveLength(layer.size);
            if (layer.digest !== undefined) expect(digestOf(bytes)).toBe(layer.digest);
          }
          expect(digestOf(await plainBytes(layer))).toBe(layer.diffID);
          if (layer.diffSize !== undefined) expect(layer.diffSize).toBe(SOURCE_LAYERS[i]?.length);
        }
      });
    });

    it('gives layers side by side', async () => {
      await withImage(async ({ layers }) => {
        const all = await Promise.all([...layers, ...layers].map((layer) => plainBytes(layer)));
        expect(all.map((bytes) => digestOf(bytes))).toEqual(
          [...SOURCE_LAYERS, ...SOURCE_LAYERS].map((layer) => digestOf(layer)),
        );
      });
    });

    it('lets go of a layer that is not read to its end', async () => {
      await withImage(async ({ layers }) => {
        const before = openDescriptors();
        for await (const chunk of (layers[1] as LayerSource).open()) {
          expect(chunk.length).toBeGreaterThan(0);
          break;
        }
        expect(openDescriptors()).toBe(before);
        expect(digestOf(await plainBytes(layers[1] as LayerSource))).toBe(layers[1]?.diffID);
      });
    });

    it('stops reading a layer when that is aborted', async () => {
      await withImage(async ({ layers }) => {
        const before = openDescriptors();
        const layer = layers[1] as LayerSource;
        expect((await storageErrorOf(() => collect(layer.open(AbortSignal.abort())))).code).toBe('ABORTED');
        const controller = new AbortController();
        const inTheMiddle = await storageErrorOf(async () => {
          for await (const _ of layer.open(controller.signal)) controller.abort();
        });
        expect(inTheMiddle.code).toBe('ABORTED');
        expect(openDescriptors()).toBe(before);
      });
    });

    it('holds no index', async () => {
      await using fixture = await make();
      expect(await fixture.source.images[0]?.openIndex?.(AMD64)).toBeUndefined();
    });

    it('gives manifest and blobs as they are, where it has them', async () => {
      await using fixture = await make();
      const image = fixture.source.images[0];
      if (image?.openManifest === undefined) return;
      const opened = await image.open(AMD64);
      const whole = await image.openManifest(AMD64);
      expect(whole.document).toEqual(await opened.manifest());
      const [config, ...layers] = whole.blobs;
      expect(await layerBytes(config as (typeof whole.blobs)[0])).toEqual(Buffer.from(opened.config.bytes));
      expect(layers.map(({ digest }) => digest)).toEqual(opened.layers.map(({ digest }) => digest));
      for (const blob of whole.blobs) expect(digestOf(await layerBytes(blob))).toBe(blob.digest);
    });

    it('can be imported', async () => {
      await using fixture = await make();
      const store = new RecordingStore();
      const image = await importImage(store, fixture.source, { names: ['x:1'], ...AMD64 });
      const opened = await fixture.source.images[0]?.open(AMD64);
      expect(`sha256:${image.id}`).toBe(opened?.config.digest);
      expect(store.chains[0]).toHaveLength(SOURCE_LAYERS.length);
    });

    it('leaves nothing open, and can be closed twice', async () => {
      const before = openDescriptors();
      {
        await using fixture = await make();
        await fixture.source.images[0]?.open(AMD64);
        await fixture.source.close();
        await fixture.source.close();
      }
      expect(openDescriptors()).toBe(before);
    });
  });
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
