import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestHex, digestOf, layerIdFor, StorageError, type Warning } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import type { ImportEvent } from '../../src/import/importEvents.ts';
import { importImage, importImages } from '../../src/import/importImage.ts';
import type { ImportOptions } from '../../src/import/importOptions.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { CREATED, configBytes, layerTar } from '../support/imageParts.ts';
import { Layout, layoutOf, named, OCI } from '../support/layout.ts';
import { RecordingStore } from '../support/recordingStore.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYERS = [layerTar('a'), layerTar('b')];
const AMD64: ImportOptions = { platform: 'linux/amd64' };

describe('the record of an imported image', () => {
  it('is that of skopeo, for one manifest', async () => {
    const layout = new Layout();
    const { digest } = layout.image({ layers: LAYERS });
    layout.entries({ ...layout.image({ layers: LAYERS }), ...named('app:1') });
    const store = new RecordingStore();
    const image = await importImage(store, scratchFile(layout.tar()), AMD64);
    const config = configBytes(LAYERS);
    const id = digestHex(digestOf(config));
    const base = layerIdFor(undefined, digestOf(LAYERS[0] as Buffer));
    const manifest = layout.files.get(`blobs/sha256/${digest.slice(7)}`) as Buffer;
    expect(store.requests).toEqual([
      {
        id,
        layer: layerIdFor(base, digestOf(LAYERS[1] as Buffer)),
        names: ['localhost/app:1'],
        digest,
        metadata: `{"signatures-sizes":{"${digest}":[]}}`,
        created: CREATED,
        bigData: [
          { name: `sha256:${id}`, bytes: config },
          { name: `manifest-${digest}`, bytes: manifest },
          { name: 'manifest', bytes: manifest },
          { name: `signature-${digest.slice(7)}`, bytes: Buffer.alloc(0) },
        ],
      },
    ]);
    expect(image).toMatchObject({ id, isNew: true, digest, names: ['localhost/app:1'] });
  });

  it('also holds the index that the image was chosen from, whose digest it has', async () => {
    const layout = new Layout();
    const platform = { os: 'linux', architecture: 'amd64' };
    const manifest = layout.image({ layers: LAYERS }, { platform });
    const index = layout.index([manifest]);
    const store = new RecordingStore();
    await importImage(store, scratchFile(layout.entries(index).tar()), { ...AMD64, names: ['x'] });
    const [request] = store.requests;
    expect(request).toMatchObject({
      digest: index.digest,
      metadata: `{"signatures-sizes":{"${manifest.digest}":[]}}`,
    });
    expect(request?.bigData.map(({ name }) => name)).toEqual([
      `sha256:${request?.id}`,
      `manifest-${index.digest}`,
      `manifest-${manifest.digest}`,
      'manifest',
      `signature-${manifest.digest.slice(7)}`,
    ]);
  });

  it('has no layer and no time where the image has none', async () => {
    const store = new RecordingStore();
    await importImage(
      store,
      scratchFile(dockerArchive([{ layers: [], config: { created: undefined } }])),
      AMD64,
    );
    expect(store.requests[0]).not.toHaveProperty('layer');
    expect(store.requests[0]).not.toHaveProperty('created');
    expect(store.requests[0]?.names).toEqual([]);
  });

  it('has the same manifest for plain and compressed layers of a docker-archive', async () => {
    const digests = [];
    for (const blobs of [LAYERS, LAYERS.map((layer) => gzipSync(layer))]) {
      const store = new RecordingStore();
      await importImage(store, scratchFile(dockerArchive([{ layers: LAYERS, blobs }])), AMD64);
      digests.push(store.requests[0]?.digest);
      expect(store.chains[0]).toMatchObject([{ addressedByDiffID: true }, { addressedByDiffID: true }]);
    }
    expect(digests[0]).toBe(digests[1]);
  });
});

describe('the layers of an imported image', () => {
  it('are handed on with all that is known of them', async () => {
    const layout = layoutOf(LAYERS);
    const directory = layout.writeTo(scratch());
    const store = new RecordingStore();
    await importImage(store, `oci:${directory}`, { ...AMD64, names: [] });
    expect(store.chains).toEqual([
      LAYERS.map((layer, i) => ({
        what: `layer ${i} of ${directory} (${digestOf(layer)})`,
        blob: { path: join(directory, Layout.pathOf(layer)), offset: 0, length: layer.length },
        digest: digestOf(layer),
        size: layer.length,
        diffID: digestOf(layer),
      })),
    ]);
  });

  it('are added once more when another program deletes them before the image is recorded', async () => {
    class PrunedStore extends RecordingStore {
      attempts = 0;
      override readonly images = {
        put: async (request: Parameters<RecordingStore['images']['put']>[0]) => {
          this.attempts++;
          if (this.attempts < 3) throw new StorageError('LAYER_UNKNOWN', 'gone');
          return await new RecordingStore().images.put(request);
        },
      };
    }
    const store = new PrunedStore();
    await importImage(store, scratchFile(layoutOf(LAYERS).tar()), AMD64);
    expect(store.chains).toHaveLength(3);
    const pruned = new PrunedStore();
    pruned.attempts = -1;
    const error = await storageErrorOf(() => importImage(pruned, scratchFile(layoutOf(LAYERS).tar()), AMD64));
    expect(error.code).toBe('LAYER_UNKNOWN');
  });

  it('must have the DiffIDs of the config', async () => {
    const layout = new Layout();
    layout.entries(layout.image({ layers: LAYERS, blobs: LAYERS.toReversed() }));
    const store = new RecordingStore();
    const error = await storageErrorOf(() => importImage(store, scratchFile(layout.tar()), AMD64));
    expect(error.code).toBe('DIFF_ID_MISMATCH');
    expect(store.requests).toEqual([]);
  });
});

describe('the names of an imported image', () => {
  async function namesOf(
    reference: string,
    options: ImportOptions = {},
  ): Promise<readonly string[] | undefined> {
    const store = new RecordingStore();
    await importImage(store, reference, { ...AMD64, ...options });
    return store.requests[0]?.names;
  }

  it('are those given, completed by podman’s rule, each once', async () => {
    const path = scratchFile(layoutOf(LAYERS, 'own:1').tar());
    expect(await namesOf(path, { names: ['a', 'docker.io/alpine', 'localhost/a:latest'] })).toEqual([
      'localhost/a:latest',
      'docker.io/library/alpine:latest',
    ]);
    expect(await namesOf(path, { names: [] })).toEqual([]);
  });

  it('are all tags of a docker-archive, the last one first', async () => {
    const path = scratchFile(dockerArchive([{ layers: LAYERS, tags: ['m:2', 'docker.io/x', 'q.io/m:3'] }]));
    expect(await namesOf(path)).toEqual(['q.io/m:3', 'docker.io/library/x:latest', 'localhost/m:2']);
  });

  it('are those of a layout, whatever chooses the image', async () => {
    const path = scratchFile(layoutOf(LAYERS, 'latest').tar());
    expect(await namesOf(`oci-archive:${path}:latest`)).toEqual(['localhost/latest:latest']);
    expect(await namesOf(`oci-archive:${path}:@0`)).toEqual(['localhost/latest:latest']);
  });

  it('come from the directory of a layout that names none, but not from an archive', async () => {
    const directory = join(scratch(), 'one');
    mkdirSync(directory);
    layoutOf(LAYERS).writeTo(directory);
    expect(await namesOf(directory)).toEqual(['localhost/one:latest']);
    expect(await namesOf(`oci:${directory}/.`)).toEqual(['localhost/one:latest']);
    expect(await namesOf(scratchFile(layoutOf(LAYERS).tar()))).toEqual([]);
  });

  it('are no names that no image can have', async () => {
    const directory = join(scratch(), 'My App');
    mkdirSync(directory);
    layoutOf(LAYERS).writeTo(directory);
    const archive = scratchFile(dockerArchive([{ layers: LAYERS, tags: ['FOO:1'] }]));
    for (const [path, name] of [
      [directory, 'My App'],
      [archive, 'FOO:1'],
    ] as const) {
      const error = await storageErrorOf(() => namesOf(path));
      expect(error).toMatchObject({ code: 'REFERENCE_INVALID', facts: { object: name } });
      expect(error.message).toContain(path);
      expect(error.hint).toContain('--name');
      expect(await namesOf(path, { names: ['ok'] })).toEqual(['localhost/ok:latest']);
    }
  });

  it('are checked before anything is read', async () => {
    const error = await storageErrorOf(() => namesOf('/does/not/exist', { names: ['UPPER'] }));
    expect(error.code).toBe('REFERENCE_INVALID');
  });

  it('taken from another image are warned of', async () => {
    const store = new RecordingStore();
    const warnings: Warning[] = [];
    const options = { ...AMD64, names: ['app'], onWarning: (warning: Warning) => warnings.push(warning) };
    const first = await importImage(store, scratchFile(layoutOf(LAYERS).tar()), options);
    expect(warnings).toEqual([]);
    await importImage(store, scratchFile(layoutOf([layerTar('z')]).tar()), options);
    expect(warnings).toMatchObject([{ code: 'NAME_TAKEN', object: 'localhost/app:latest' }]);
    expect(warnings[0]?.message).toContain(first.id);
  });
});

describe('several images', () => {
  const archive = () =>
    scratchFile(
      dockerArchive([['m:1'], ['m:2', 'm:3']].map((tags, i) => ({ layers: [layerTar(`${i}`)], tags }))),
    );

  it('are imported one after the other', async () => {
    const store = new RecordingStore();
    const images = await importImages(store, archive(), { ...AMD64, all: true });
    expect(images.map(({ names }) => names)).toEqual([['localhost/m:1'], ['localhost/m:3', 'localhost/m:2']]);
  });

  it('need a choice', async () => {
    const path = archive();
    const store = new RecordingStore();
    expect(await storageErrorOf(() => importImage(store, path))).toMatchObject({ code: 'IMAGE_AMBIGUOUS' });
    expect(await importImage(store, path, { ...AMD64, select: 'm:3' })).toMatchObject({
      names: ['localhost/m:3', 'localhost/m:2'],
    });
    expect(await importImage(store, path, { ...AMD64, select: '@0' })).toMatchObject({
      names: ['localhost/m:1'],
    });
    expect(await importImage(store, `docker-archive:${path}:@1`, AMD64)).toMatchObject({
      names: ['localhost/m:3', 'localhost/m:2'],
    });
    const [chosen] = await importImages(store, `docker-archive:${path}:@1`, {
      ...AMD64,
      select: { index: 0 },
    });
    expect(chosen).toMatchObject({ names: ['localhost/m:1'] });
  });

  it('cannot be chosen from and all be taken, or share names', async () => {
    const path = archive();
    const store = new RecordingStore();
    const misuse = [
      () => importImages(store, `docker-archive:${path}:@0`, { all: true }),
      () => importImages(store, path, { all: true, select: '@0' }),
      () => importImages(store, path, { all: true, names: ['x'] }),
      () => importImage(store, path, { all: true } as ImportOptions),
    ];
    for (const call of misuse) await expect(call()).rejects.toBeInstanceOf(TypeError);
  });

  it('may have artifacts beside them, which are left out with a warning', async () => {
    const layout = new Layout();
    const empty = layout.put('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
    const artifact = () => layout.image({ manifest: { config: empty } });
    layout.entries(artifact(), layout.image({ layers: LAYERS }));
    const store = new RecordingStore();
    const warnings: Warning[] = [];
    const onWarning = (warning: Warning) => warnings.push(warning);
    expect(
      await importImages(store, scratchFile(layout.tar()), { ...AMD64, all: true, onWarning }),
    ).toHaveLength(1);
    expect(warnings).toMatchObject([{ code: 'ARTIFACT_SKIPPED' }]);
    layout.entries(
      artifact(),
      layout.image({ manifest: { config: empty, layers: null, artifactType: 'x/y' } }),
    );
    const error = await storageErrorOf(() => importImages(store, scratchFile(layout.tar()), { all: true }));
    expect(error.code).toBe('ARTIFACT_UNSUPPORTED');
  });
});

describe('the platform of an import', () => {
  it('chooses from an index', async () => {
    const layout = new Layout();
    const entries = ['arm64', 'amd64'].map((architecture) => ({
      ...layout.image({ layers: LAYERS, config: { architecture } }),
      platform: { os: 'linux', architecture },
    }));
    const path = scratchFile(layout.entries(layout.index(entries)).tar());
    for (const [i, architecture] of ['arm64', 'amd64'].entries()) {
      const store = new RecordingStore();
      await importImage(store, path, { platform: `linux/${architecture}` });
      expect(store.requests[0]?.bigData[2]?.name).toBe(`manifest-${entries[i]?.digest}`);
    }
  });

  it('that an image is not made for is warned of, and the image imported', async () => {
    const path = scratchFile(dockerArchive([{ layers: LAYERS, config: { architecture: 'arm64' } }]));
    const warnings: Warning[] = [];
    const options = { platform: 'linux/amd64', onWarning: (warning: Warning) => warnings.push(warning) };
    const image = await importImage(new RecordingStore(), path, options);
    expect(warnings).toMatchObject([{ code: 'PLATFORM_MISMATCH', object: `sha256:${image.id}` }]);
    expect(warnings[0]?.message).toContain('linux/arm64, not for linux/amd64');
    await importImage(new RecordingStore(), path, { ...options, platform: 'linux/arm64/v8' });
    const unnamed = dockerArchive([{ layers: LAYERS, config: { architecture: undefined } }]);
    await importImage(new RecordingStore(), scratchFile(unnamed), options);
    expect(warnings).toHaveLength(1);
  });

  it('must be well formed', async () => {
    const error = await storageErrorOf(() => importImage(new RecordingStore(), '/x', { platform: 'amd64' }));
    expect(error.code).toBe('CONFIG_INVALID');
  });
});

describe('an import', () => {
  it('reports its course', async () => {
    const path = scratchFile(layoutOf(LAYERS, 'app:1').tar());
    const store = new RecordingStore();
    const events: ImportEvent[] = [];
    const onProgress = (event: ImportEvent) => events.push(event);
    const { id } = await importImage(store, path, { ...AMD64, onProgress });
    expect(events[0]).toEqual({
      type: 'image-start',
      image: 0,
      total: 1,
      id,
      names: ['localhost/app:1'],
      layers: LAYERS.map((layer) => ({
        diffID: digestOf(layer),
        digest: digestOf(layer),
        size: layer.length,
      })),
    });
    expect(events.slice(1).map((event) => [event.type, 'index' in event ? event.index : undefined])).toEqual([
      ['layer-start', 0],
      ['layer-done', 0],
      ['layer-start', 1],
      ['layer-done', 1],
      ['image-done', undefined],
    ]);
    events.length = 0;
    expect(await importImage(store, path, { ...AMD64, onProgress })).toMatchObject({ isNew: false });
    expect(events.map(({ type }) => type)).toEqual([
      'image-start',
      'layer-reused',
      'layer-reused',
      'image-done',
    ]);
  });

  it('leaves nothing behind: no temporary file, no descriptor', async () => {
    const path = scratchFile(gzipSync(layoutOf(LAYERS).tar()));
    const spoolDirectory = scratch();
    await importImage(new RecordingStore(), path, { ...AMD64, spoolDirectory });
    const before = readdirSync('/proc/self/fd').length;
    await importImage(new RecordingStore(), path, { ...AMD64, spoolDirectory });
    const failing = {
      layers: { ...new RecordingStore().layers, addChain: () => Promise.reject(new Error('x')) },
      images: new RecordingStore().images,
    };
    await expect(importImage(failing, path, { ...AMD64, spoolDirectory })).rejects.toThrow('x');
    expect(readdirSync(spoolDirectory)).toEqual([]);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });

  it('takes back the layers that it added when the image cannot be recorded', async () => {
    const path = scratchFile(layoutOf(LAYERS).tar());
    const store = new RecordingStore();
    const put = () => Promise.reject(new StorageError('NO_SPACE', 'full'));
    const failing = { layers: store.layers, images: { put } };
    await expect(importImage(failing, path, AMD64)).rejects.toThrow('full');
    expect(store.layersById.size).toBe(0);
    await importImage(store, path, AMD64);
    const before = [...store.layersById.keys()];
    await expect(importImage(failing, path, AMD64)).rejects.toThrow('full');
    expect([...store.layersById.keys()]).toEqual(before);
  });

  it('leaves a source open that was opened before', async () => {
    await using source = await openImageSource(scratchFile(gzipSync(layoutOf(LAYERS).tar())));
    await importImage(new RecordingStore(), source, AMD64);
    expect(await importImage(new RecordingStore(), source, AMD64)).toMatchObject({ isNew: true });
  });

  it('can be aborted', async () => {
    const store = new RecordingStore();
    const signal = AbortSignal.abort(new Error('enough'));
    for (const path of [scratchFile(layoutOf(LAYERS).tar()), layoutOf(LAYERS).writeTo(scratch())]) {
      const error = await storageErrorOf(() => importImage(store, path, { ...AMD64, names: [], signal }));
      expect(error).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
    }
    expect(store.chains).toEqual([]);
    expect(store.requests).toEqual([]);
  });

  it('of an unknown media type goes on, with a warning', async () => {
    const layout = new Layout();
    const layers = [layout.put('application/x-mine', LAYERS[0] as Buffer)];
    layout.entries(
      layout.image({ layers: [LAYERS[0] as Buffer], manifest: { layers, mediaType: OCI.manifest } }),
    );
    const warnings: Warning[] = [];
    await importImage(new RecordingStore(), scratchFile(layout.tar()), {
      ...AMD64,
      onWarning: (warning) => warnings.push(warning),
    });
    expect(warnings).toMatchObject([{ code: 'MEDIA_TYPE_UNKNOWN' }]);
  });
});
