import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Digest, digestHex, digestOf } from '@sediment/core';
import { openStore, type Store } from '@sediment/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStoreRoot, type StoreRoot, withDriverOption } from '../../../../test/support/storeRoot.ts';
import { importImage } from '../../src/import/importImage.ts';
import { parsePlatform } from '../../src/platforms/platform.ts';
import { chooseImages } from '../../src/sources/chooseImages.ts';
import type { OpenedImage, OpenedIndex } from '../../src/sources/imageSource.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { openStoreSource } from '../../src/sources/store/openStoreSource.ts';
import {
  configBytes,
  describe as descriptorOf,
  json,
  layerTar,
  type RawDescriptor,
} from '../support/imageParts.ts';
import { layerBytes, plainBytes } from '../support/layerBytes.ts';
import { DOCKER, Layout, named, OCI } from '../support/layout.ts';
import { scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(30_000))];
const NAME = 'localhost/app:1';
const AMD64 = { platform: 'linux/amd64' };
const TOC = 'io.github.containers.zstd-chunked.manifest-checksum';
const isRoot = process.getuid?.() === 0;

let root: StoreRoot;
let store: Store;

async function openTestStore({ graphRoot, runRoot, driver, driverOptions, env }: StoreRoot): Promise<Store> {
  const options = { graphRoot, runRoot, driver, ...(driverOptions === undefined ? {} : { driverOptions }) };
  return await openStore({ ...options, env: { ...process.env, ...env }, onWarning: () => undefined });
}

/** A layout with one image of compressed layers. */
function compressed(layout = new Layout(), config: Record<string, unknown> = {}): RawDescriptor {
  const layers = LAYERS.map((layer) =>
    layout.put(`${OCI.layer}+gzip`, gzipSync(layer), { annotations: { note: 'x', [TOC]: 'y' } }),
  );
  return layout.image({ layers: LAYERS, manifest: { layers }, config }, named(NAME));
}

function archiveOf(layout: Layout, top: RawDescriptor): string {
  return `oci-archive:${scratchFile(layout.entries(top).tar())}`;
}

async function addImage(options: { keepBlobs?: boolean } = {}) {
  const layout = new Layout();
  return await importImage(store, archiveOf(layout, compressed(layout)), {
    ...AMD64,
    names: [NAME],
    ...options,
  });
}

async function openFirst(): Promise<OpenedImage> {
  await using source = await openStoreSource(store);
  return (await source.images[0]?.open()) as OpenedImage;
}

/** Adds an image to the store whose documents are as given, with the layers of the one that is there. */
async function addOdd(documents: Readonly<Record<string, Uint8Array>>, metadata?: string): Promise<string> {
  const [present] = await store.images.list();
  const { image } = await store.images.put({
    id: digestHex(digestOf(JSON.stringify(Object.keys(documents)))),
    ...(present?.layer === undefined ? {} : { layer: present.layer }),
    names: ['localhost/odd:1'],
    ...(metadata === undefined ? {} : { metadata }),
    bigData: Object.entries(documents).map(([name, bytes]) => ({ name, bytes })),
  });
  return image.id;
}

async function openOdd(digest?: Digest): Promise<OpenedImage> {
  const image = await store.images.get('localhost/odd:1');
  const source = await openStoreSource(store, {
    images: [image],
    ...(digest === undefined ? {} : { digest }),
  });
  return (await source.images[0]?.open()) as OpenedImage;
}

describe.skipIf(!isRoot)('the images of a store (needs root)', () => {
  beforeEach(async () => {
    root = makeStoreRoot();
    store = await openTestStore(root);
  });
  afterEach(async () => {
    await store.close();
    root.dispose();
  });

  describe('are found', () => {
    it('by name, id and digest, among all that there are', async () => {
      const { id, digest } = await addImage();
      await using source = await openStoreSource(store);
      expect(source.images).toMatchObject([{ names: [NAME], digest, positions: [0] }]);
      for (const name of [NAME, 'app:1', id, digest as string]) {
        expect(chooseImages(source, { select: { name } })).toHaveLength(1);
      }
    });

    it.each([
      ['a name', () => NAME],
      ['an id', (id: string) => id],
      ['the beginning of an id', (id: string) => id.slice(0, 5)],
      ['@id', (id: string) => `@${id}`],
      ['a name with a digest', (_: string, digest: string) => `localhost/app@${digest}`],
      ['a name with an id', (id: string) => `${NAME}@${id}`],
    ])('by a reference that is %s', async (_, textOf) => {
      const { id, digest } = await addImage();
      await using source = await openImageSource(`containers-storage:${textOf(id, digest as string)}`, {
        store,
      });
      expect((await source.images[0]?.open())?.config.digest).toBe(`sha256:${id}`);
    });

    it('by the digest of the list that they were chosen from', async () => {
      const layout = new Layout();
      const entry = { ...compressed(layout), ...AMD64, platform: parsePlatform('linux/amd64') };
      const list = layout.index([entry]);
      await importImage(store, archiveOf(layout, list), { ...AMD64, names: [NAME] });
      await using source = await openImageSource(`containers-storage:localhost/app@${list.digest}`, {
        store,
      });
      const opened = await source.images[0]?.open();
      expect(opened?.index?.digest).toBe(list.digest);
      expect((await opened?.manifest())?.digest).toBe(entry.digest);
      // Without that digest it is an image of its own.
      expect((await openFirst()).index).toBeUndefined();
    });

    it('not at all if there are none', async () => {
      const error = await storageErrorOf(() =>
        openImageSource('containers-storage:localhost/none:1', { store }),
      );
      expect(error.code).toBe('IMAGE_UNKNOWN');
      expect(error.message).toContain('does not resolve to an image ID');
      await expect(openImageSource('containers-storage:x')).rejects.toThrow(TypeError);
      await using source = await openStoreSource(store);
      expect(source.images).toEqual([]);
    });

    it('in an additional store, which is only read', async () => {
      const { id } = await addImage();
      await using other = makeStoreRoot();
      const withAdditional = withDriverOption(other, `overlay.imagestore=${root.graphRoot}`);
      await using second = await openTestStore(withAdditional);
      await using source = await openStoreSource(second);
      const opened = (await source.images[0]?.open()) as OpenedImage;
      expect(digestHex(opened.config.digest)).toBe(id);
      for (const [i, layer] of opened.layers.entries()) {
        expect((await layerBytes(layer)).equals(LAYERS[i] as Buffer)).toBe(true);
      }
    });
  });

  describe('give their layers', () => {
    it('as tars made again, which are not what the manifest names', async () => {
      await addImage();
      const { layers } = await openFirst();
      for (const [i, layer] of layers.entries()) {
        const tar = LAYERS[i] as Buffer;
        expect(layer).toMatchObject({
          mediaType: OCI.layer,
          digest: digestOf(tar),
          diffID: digestOf(tar),
          size: tar.length,
          diffSize: tar.length,
          annotations: { note: 'x' },
        });
        expect(layer.annotations).toEqual({ note: 'x' });
        expect(layer.blob).toBeUndefined();
        expect(layer.rebuild).toBeUndefined();
        expect((await layerBytes(layer)).equals(tar)).toBe(true);
      }
    });

    it('as the blobs that were kept, which can be made again all the same', async () => {
      await addImage({ keepBlobs: true });
      const { layers, manifest } = await openFirst();
      const named = JSON.parse(Buffer.from((await manifest()).bytes).toString()).layers;
      for (const [i, layer] of layers.entries()) {
        const { digest, size, mediaType, annotations } = named[i];
        expect(layer).toMatchObject({
          digest,
          size,
          mediaType,
          annotations,
          diffID: digestOf(LAYERS[i] as Buffer),
        });
        expect(digestOf(await layerBytes(layer))).toBe(digest);
        expect((await plainBytes({ open: layer.rebuild as never })).equals(LAYERS[i] as Buffer)).toBe(true);
      }
    });

    it('with an error for a kept blob that was changed', async () => {
      await addImage({ keepBlobs: true });
      const [layer] = (await openFirst()).layers;
      const path = layer?.blob?.path as string;
      writeFileSync(path, Buffer.alloc(layer?.size as number));
      const error = await storageErrorOf(() => layerBytes(layer as NonNullable<typeof layer>));
      expect(error.code).toBe('DIGEST_MISMATCH');
    });

    it('each in its own way where some blobs were kept', async () => {
      await addImage({ keepBlobs: true });
      const [first] = (await openFirst()).layers;
      rmSync(first?.blob?.path as string);
      const { layers } = await openFirst();
      expect(layers.map(({ blob }) => blob !== undefined)).toEqual([false, true]);
    });

    it('with an error for a file that was changed', async () => {
      await addImage();
      const { layers } = await openFirst();
      const [info] = await store.layers.byDiffID(layers[0]?.diffID as string);
      const { UpperDir } = await store.layers.driverMetadata(info?.id as string);
      writeFileSync(join(UpperDir as string, 'etc/a'), 'changed');
      const error = await storageErrorOf(() => layerBytes(layers[0] as (typeof layers)[0]));
      expect(error.code).toBe('FILE_INTEGRITY');
    });
  });

  describe('give all platforms of their index', () => {
    it('when its blobs were kept', async () => {
      const layout = new Layout();
      const amd = { ...compressed(layout), platform: parsePlatform('linux/amd64') };
      const arm = {
        ...compressed(layout, { architecture: 'arm64' }),
        platform: parsePlatform('linux/arm64'),
      };
      const list = layout.index([amd, arm]);
      const options = { ...AMD64, names: [NAME], keepBlobs: true };
      await importImage(store, archiveOf(layout, list), { ...options, allPlatforms: true });
      await using source = await openStoreSource(store);
      const index = (await source.images[0]?.openIndex?.()) as OpenedIndex;
      expect(index.document.digest).toBe(list.digest);
      for (const { open } of index.instances) {
        const instance = await open();
        if (!('blobs' in instance)) throw new Error('an index inside');
        for (const blob of instance.blobs) expect(digestOf(await layerBytes(blob))).toBe(blob.digest);
      }
      expect((await openFirst()).index?.digest).toBe(list.digest);
    });

    it('but for those that were not', async () => {
      const layout = new Layout();
      const amd = { ...compressed(layout), platform: parsePlatform('linux/amd64') };
      const arm = {
        ...compressed(layout, { architecture: 'arm64' }),
        platform: parsePlatform('linux/arm64'),
      };
      await importImage(store, archiveOf(layout, layout.index([amd, arm])), { ...AMD64, keepBlobs: true });
      await using source = await openStoreSource(store);
      const index = (await source.images[0]?.openIndex?.()) as OpenedIndex;
      expect(index.instances).toHaveLength(2);
      await index.instances[0]?.open();
      expect((await storageErrorOf(() => index.instances[1]?.open())).code).toBe('BLOB_MISSING');
    });
  });

  describe('may have several manifests', () => {
    const config = descriptorOf(OCI.config, configBytes(LAYERS));
    const layers = LAYERS.map((layer) => descriptorOf(OCI.layer, layer));
    const first = json({ schemaVersion: 2, mediaType: OCI.manifest, config, layers });
    const second = json({
      schemaVersion: 2,
      mediaType: OCI.manifest,
      config,
      layers,
      annotations: { n: '2' },
    });
    const documents = {
      [config.digest]: configBytes(LAYERS),
      [`manifest-${digestOf(first)}`]: first,
      [`manifest-${digestOf(second)}`]: second,
      manifest: second,
    };

    it('of which the newest counts, or the one that is asked for', async () => {
      await addImage();
      await addOdd(documents);
      expect((await (await openOdd()).manifest()).digest).toBe(digestOf(second));
      expect((await (await openOdd(digestOf(first))).manifest()).digest).toBe(digestOf(first));
      expect((await (await openOdd(digestOf('another'))).manifest()).digest).toBe(digestOf(second));
    });

    it('with signatures of their own', async () => {
      await addImage();
      const metadata = json({
        'signature-sizes': [3],
        'signatures-sizes': { [digestOf(first)]: [1, 0, 2] },
      }).toString();
      const signed = {
        ...documents,
        signatures: Buffer.from('xyz'),
        [`signature-${digestHex(digestOf(first))}`]: Buffer.from('abc'),
      };
      await addOdd(signed, metadata);
      const texts = ({ signatures }: OpenedImage) => signatures.map((bytes) => Buffer.from(bytes).toString());
      expect(texts(await openOdd())).toEqual(['xyz']);
      expect(texts(await openOdd(digestOf(first)))).toEqual(['a', '', 'bc']);
    });

    it.each(['', '{', '[]', '{"signature-sizes":"x"}', '{"created-by":"buildah"}'])(
      'and metadata of other programs: %s',
      async (metadata) => {
        await addImage();
        await addOdd(documents, metadata);
        expect((await openOdd()).signatures).toEqual([]);
      },
    );

    it('and fewer bytes of signatures than the record says', async () => {
      await addImage();
      await addOdd({ ...documents, signatures: Buffer.from('xyz') }, '{"signature-sizes":[2,2]}');
      expect(await storageErrorOf(openOdd)).toMatchObject({ code: 'RECORD_INVALID' });
    });
  });

  describe('that are damaged do no harm to others, and', () => {
    const config = descriptorOf(OCI.config, configBytes(LAYERS));
    const manifestOf = (layers: readonly Uint8Array[], more: Record<string, unknown> = {}) =>
      json({
        schemaVersion: 2,
        mediaType: OCI.manifest,
        config,
        layers: layers.map((layer) => descriptorOf(OCI.layer, layer)),
        ...more,
      });
    const configItem = { [config.digest]: configBytes(LAYERS) };
    const otherConfig = configBytes([...LAYERS].reverse());

    it.each([
      ['without a manifest', configItem, 'BLOB_MISSING', 'manifest of image'],
      ['with a manifest that is no JSON', { manifest: Buffer.from('{') }, 'MANIFEST_INVALID', 'valid JSON'],
      ['with an empty manifest', { manifest: Buffer.alloc(0) }, 'MANIFEST_INVALID', 'valid JSON'],
      ['without a config', { manifest: manifestOf(LAYERS) }, 'BLOB_MISSING', config.digest as string],
      [
        'with another number of layers',
        { ...configItem, manifest: manifestOf(LAYERS.slice(1)) },
        'MANIFEST_INVALID',
        'its manifest has 1 layers, the store has 2',
      ],
      [
        'with DiffIDs that are not those of the layers',
        {
          [digestOf(otherConfig)]: otherConfig,
          manifest: manifestOf(LAYERS, { config: descriptorOf(OCI.config, otherConfig) }),
        },
        'DIFF_ID_MISMATCH',
        "does not match config's DiffID",
      ],
      [
        'of a list alone',
        { manifest: json({ schemaVersion: 2, mediaType: OCI.index, manifests: [] }) },
        'MANIFEST_INVALID',
        'manifest list',
      ],
      [
        'that are artifacts',
        { manifest: manifestOf([], { config: { ...config, mediaType: 'application/x' } }) },
        'ARTIFACT_UNSUPPORTED',
        'application/x',
      ],
    ])('those %s', async (_, documents, code, message) => {
      const { id } = await addImage();
      const odd = await addOdd(documents);
      await using source = await openStoreSource(store);
      expect(source.images).toHaveLength(2);
      const good = source.images.find(({ aliases }) => aliases.includes(id));
      expect((await good?.open())?.layers).toHaveLength(2);
      const error = await storageErrorOf(openOdd);
      expect(error.code).toBe(code);
      expect(error.message).toContain(message);
      expect(error.message).toContain(odd);
      expect(error.message).toContain('localhost/odd:1');
      expect(error.hint).toBeTruthy();
    });

    it('those whose documents were changed on disk', async () => {
      const { id } = await addImage();
      const path = join(root.graphRoot, 'overlay-images', id, 'manifest');
      const [{ layers }] = [JSON.parse((await store.images.bigData(id, 'manifest')).toString())];
      writeFileSync(path, manifestOf([], { layers, annotations: { changed: 'yes' } }));
      expect(await storageErrorOf(openFirst)).toMatchObject({
        code: 'DIGEST_MISMATCH',
        facts: { object: id },
      });
      rmSync(path);
      expect(await storageErrorOf(openFirst)).toMatchObject({ code: 'BLOB_MISSING', facts: { object: id } });
    });
  });

  it('may be of Docker, and have no layers', async () => {
    const bytes = configBytes([]);
    const config = descriptorOf(DOCKER.config, bytes);
    const manifest = json({ schemaVersion: 2, mediaType: DOCKER.manifest, config, layers: [] });
    await addOdd({ [config.digest]: bytes, manifest });
    const opened = await openOdd();
    expect(opened.layers).toEqual([]);
    expect(await opened.manifest()).toMatchObject({ mediaType: DOCKER.manifest });
  });
});
