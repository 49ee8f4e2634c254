import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { detectCompression } from '@sediment/codec';
import { digestOf } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import type { CopyEvent } from '../../src/copy/copyEvents.ts';
import { copyImage, copyImages } from '../../src/copy/copyImages.ts';
import type { CopyOptions } from '../../src/copy/copyOptions.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { layerTar } from '../support/imageParts.ts';
import { DOCKER, type ImageInput, Layout, named, OCI } from '../support/layout.ts';
import { readBack } from '../support/readBack.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(300_000))];
const ANNOTATIONS = { 'org.example.note': 'a < b & c' };
const FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const URLS = ['https://example.invalid/layer'];

/** A layout with one image of gzip layers, annotations and a foreign layer. */
function gzipLayout(more: Partial<ImageInput> = {}): { readonly from: string; readonly digest: string } {
  const layout = new Layout();
  const blobs = LAYERS.map((layer) => gzipSync(layer));
  const [first, second] = blobs as [Buffer, Buffer];
  const manifest = {
    layers: [
      layout.put(`${OCI.layer}+gzip`, first, { annotations: { note: 'one' } }),
      layout.put(FOREIGN, second, { urls: URLS }),
    ],
    annotations: ANNOTATIONS,
  };
  const image = layout.image({ layers: LAYERS, blobs, manifest, ...more }, named('localhost/app:1'));
  return { from: `oci:${layout.entries(image).writeTo(join(scratch(), 'in'))}`, digest: image.digest };
}

const place = (name: string): string => join(scratch(), name);

interface WrittenManifest {
  readonly mediaType: string;
  readonly config: { readonly mediaType: string; readonly digest: string };
  readonly layers: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly urls?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

async function manifestOf(reference: string): Promise<WrittenManifest> {
  const [image] = await readBack(reference);
  return JSON.parse(Buffer.from(image?.manifest ?? '', 'latin1').toString());
}

/** Copies, and checks that what the manifest says of its layers is so. */
async function copyTo(transport: string, from: string, options: CopyOptions = {}): Promise<WrittenManifest> {
  const path = place('out');
  const copied = await copyImage(from, `${transport}:${path}`, options);
  const manifest = await manifestOf(`${transport}:${path}`);
  expect(manifest.layers.map(({ digest, size }) => ({ digest, size }))).toEqual(
    copied.layers.map(({ digest, size }) => ({ digest, size })),
  );
  await using source = await openImageSource(`${transport}:${path}`);
  const opened = await source.images[0]?.open();
  for (const [i, { open, mediaType, digest }] of (opened?.layers ?? []).entries()) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of open()) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    expect(digestOf(bytes)).toBe(digest ?? digestOf(LAYERS[i] as Buffer));
    const said = /gzip$/.test(mediaType) ? 'gzip' : /zstd$/.test(mediaType) ? 'zstd' : 'none';
    if (transport !== 'docker-archive') expect(said).toBe(detectCompression(bytes));
    if (said === 'gzip' && transport !== 'docker-archive') {
      expect(gunzipSync(bytes).equals(LAYERS[i] as Buffer)).toBe(true);
    }
  }
  return manifest;
}

describe('a copy', () => {
  it('has the bytes of the source, wherever they can be held', async () => {
    const { from, digest } = gzipLayout();
    let last = from;
    for (const transport of ['oci-archive', 'dir', 'oci', 'dir', 'oci-archive', 'oci']) {
      const to = `${transport}:${place('out')}`;
      const copied = await copyImage(last, to, { preserveDigests: true });
      expect(copied).toMatchObject({ manifestDigest: digest, sourceDigest: digest });
      expect(copied.layers.map((layer) => layer.copied)).toEqual(['bytes', 'bytes']);
      last = to;
    }
  });

  it('to docker-archive has plain layers, and the image the same id', async () => {
    const { from } = gzipLayout();
    const path = place('out.tar');
    const copied = await copyImage(from, `docker-archive:${path}`);
    expect(copied.layers).toEqual(
      LAYERS.map((layer) => ({ digest: digestOf(layer), size: layer.length, copied: 'decompressed' })),
    );
    const [image] = await readBack(`docker-archive:${path}`);
    const [before] = await readBack(from);
    expect(image?.config).toBe(before?.config);
    expect(image?.names).toEqual(['localhost/app:1']);
    expect(digestOf(Buffer.from(image?.manifest ?? '', 'latin1'))).toBe(copied.manifestDigest);
  });

  it('from docker-archive to a layout is compressed, in a manifest of OCI', async () => {
    const from = scratchFile(dockerArchive([{ layers: LAYERS, tags: ['app:1'] }]));
    const manifest = await copyTo('oci', from);
    expect(manifest.mediaType).toBe(OCI.manifest);
    expect(manifest.config.mediaType).toBe(OCI.config);
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
      `${OCI.layer}+gzip`,
      `${OCI.layer}+gzip`,
    ]);
    const plain = await copyTo('dir', from);
    expect(plain.mediaType).toBe(DOCKER.manifest);
    const tar = 'application/vnd.docker.image.rootfs.diff.tar';
    expect(plain.layers.map(({ mediaType }) => mediaType)).toEqual([tar, tar]);
  });

  it('may be asked to be in the other form, and keeps config and id', async () => {
    const { from } = gzipLayout();
    const path = place('v2s2');
    const [before] = await readBack(from);
    const copied = await copyImage(from, `dir:${path}`, { format: 'v2s2' });
    expect(copied.layers.map((layer) => layer.copied)).toEqual(['bytes', 'bytes']);
    expect(await manifestOf(`dir:${path}`)).toMatchObject({
      mediaType: DOCKER.manifest,
      config: { mediaType: DOCKER.config },
      layers: [
        { mediaType: DOCKER.layer },
        { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls: URLS },
      ],
    });
    const back = await copyTo('oci', `dir:${path}`, { format: 'oci' });
    expect(back).toMatchObject({
      mediaType: OCI.manifest,
      config: { mediaType: OCI.config, digest: digestOf(Buffer.from(before?.config ?? '', 'latin1')) },
      layers: [{ mediaType: `${OCI.layer}+gzip` }, { mediaType: FOREIGN, urls: URLS }],
    });
    const kept = await copyTo('oci', `dir:${path}`);
    expect(kept.mediaType).toBe(DOCKER.manifest);
  });

  it.each([
    ['zstd', undefined, '+zstd'],
    ['none', undefined, ''],
    ['gzip', 9, '+gzip'],
    ['zstd', 12, '+zstd'],
  ] as const)(
    'with %s at level %s has true media types, and the annotations',
    async (compression, level, suffix) => {
      const { from, digest } = gzipLayout();
      const options = { compression, ...(level === undefined ? {} : { compressionLevel: level }) };
      const manifest = await copyTo('oci', from, options);
      expect(manifest).toMatchObject({ mediaType: OCI.manifest, annotations: ANNOTATIONS });
      expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
        `${OCI.layer}${suffix}`,
        `application/vnd.oci.image.layer.nondistributable.v1.tar${suffix}`,
      ]);
      expect(manifest.layers[0]?.annotations).toEqual({ note: 'one' });
      const path = place('kept');
      const same = await copyImage(from, `oci:${path}`, { compression: 'gzip' });
      expect(same.manifestDigest).toBe(digest);
    },
  );

  it('of zstd layers into a form of Docker is gzip', async () => {
    const zstd = place('zstd');
    await copyImage(gzipLayout().from, `oci:${zstd}`, { compression: 'zstd' });
    const manifest = await copyTo('dir', `oci:${zstd}`, { format: 'v2s2' });
    expect(manifest.layers[0]?.mediaType).toBe(DOCKER.layer);
    const options = { format: 'v2s2', compression: 'zstd' } as const;
    const error = await storageErrorOf(() => copyImage(`oci:${zstd}`, `dir:${place('x')}`, options));
    expect(error).toMatchObject({ code: 'NOT_SUPPORTED' });
    expect(error.message).toContain('zstd compression is not officially supported for docker images');
  });

  it('drops what is true of the old bytes only', async () => {
    const layout = new Layout();
    const blob = gzipSync(LAYERS[0] as Buffer);
    const annotations = {
      'io.github.containers.zstd-chunked.manifest-checksum': 'x',
      'containerd.io/snapshot/stargz/toc.digest': 'y',
      note: 'stays',
    };
    const manifest = { layers: [layout.put(`${OCI.layer}+gzip`, blob, { annotations })] };
    const image = layout.image({ layers: LAYERS.slice(0, 1), blobs: [blob], manifest });
    const from = `oci:${layout.entries(image).writeTo(place('in'))}`;
    const copied = await copyTo('oci', from, { compression: 'none' });
    expect(copied.layers[0]?.annotations).toEqual({ note: 'stays' });
  });

  it('of layers of unknown type goes as it is, but not into another form', async () => {
    const layout = new Layout();
    const type = 'application/vnd.example.layer';
    const manifest = { layers: LAYERS.map((layer) => layout.put(type, layer)) };
    const image = layout.image({ layers: LAYERS, manifest });
    const from = `oci:${layout.entries(image).writeTo(place('in'))}`;
    expect((await copyImage(from, `dir:${place('out')}`)).manifestDigest).toBe(image.digest);
    for (const options of [{ format: 'v2s2' }, { compression: 'gzip' }] as const) {
      const out = place('out');
      const error = await storageErrorOf(() => copyImage(from, `dir:${out}`, options));
      expect(error.code).toBe('NOT_SUPPORTED');
      expect(error.message).toContain(`Unknown media type during manifest conversion: "${type}"`);
      expect(existsSync(out)).toBe(false);
    }
  });

  it('of damaged layers fails and leaves nothing', async () => {
    const { from } = gzipLayout();
    const [layer] = (await manifestOf(from)).layers;
    const file = join(from.slice(4), 'blobs', String(layer?.digest).replace(':', '/'));
    const bytes = readFileSync(file);
    bytes[12] = (bytes[12] as number) ^ 0xff;
    writeFileSync(file, bytes);
    for (const [transport, options] of [
      ['oci', {}],
      ['dir', {}],
      ['oci-archive', {}],
      ['oci-archive', { compression: 'zstd' }],
      ['docker-archive', {}],
    ] as const) {
      const out = place('out');
      const error = await storageErrorOf(() => copyImage(from, `${transport}:${out}`, options));
      expect(error.code).toMatch(/^(?:DIGEST_MISMATCH|DIFF_ID_MISMATCH|COMPRESSION_INVALID)$/);
      expect(existsSync(out)).toBe(false);
    }
  });

  it('of layers that are not those of the config fails where they are looked into', async () => {
    const layout = new Layout();
    const other = [layerTar('x'), layerTar('y')];
    const image = layout.image({ layers: LAYERS, blobs: other });
    const from = `oci:${layout.entries(image).writeTo(place('in'))}`;
    const out = place('out');
    const error = await storageErrorOf(() => copyImage(from, `docker-archive:${out}`));
    expect(error).toMatchObject({
      code: 'DIFF_ID_MISMATCH',
      facts: { expected: digestOf(LAYERS[0] as Buffer) },
    });
    expect(existsSync(out)).toBe(false);
  });

  it('that cannot keep digests though it must is refused before anything is written', async () => {
    const { from } = gzipLayout();
    const exact = { preserveDigests: true };
    const refused = [
      ['docker-archive', exact],
      ['dir', { ...exact, format: 'v2s2' }],
      ['oci', { ...exact, compression: 'zstd' }],
    ] as const;
    for (const [transport, options] of refused) {
      const events: string[] = [];
      const out = place('out');
      const onProgress = ({ type }: CopyEvent) => events.push(type);
      const error = await storageErrorOf(() =>
        copyImage(from, `${transport}:${out}`, { ...options, onProgress }),
      );
      expect(error.code).toBe('DIGESTS_NOT_PRESERVED');
      expect(events).toEqual([]);
      expect(existsSync(out)).toBe(false);
    }
    const docker = scratchFile(dockerArchive([{ layers: LAYERS }]));
    for (const transport of ['docker-archive', 'dir', 'oci']) {
      const copied = await copyImage(docker, `${transport}:${place('out')}`, exact);
      expect(copied.manifestDigest).toBe(copied.sourceDigest);
    }
  });

  it('refuses what the destination cannot be', async () => {
    const { from } = gzipLayout();
    const refused = [
      [{ format: 'oci' }, 'NOT_SUPPORTED'],
      [{ compression: 'gzip' }, 'NOT_SUPPORTED'],
      [{ compression: 'gzip', compressionLevel: 10 }, 'CONFIG_INVALID'],
      [{ compression: 'none', compressionLevel: 1 }, 'CONFIG_INVALID'],
    ] as const;
    for (const [options, code] of refused) {
      const error = await storageErrorOf(() => copyImage(from, `docker-archive:${place('out')}`, options));
      expect(error).toMatchObject({ code, hint: expect.any(String) });
    }
    await expect(copyImage(from, 'containers-storage:app')).rejects.toThrow(TypeError);
  });
});

describe('names of a copy', () => {
  it('are those of the reference and further ones, else those that it had', async () => {
    const { from } = gzipLayout();
    const namesAt = async (to: string, options: CopyOptions = {}) => {
      const { names } = await copyImage(from, to, options);
      expect((await readBack(to))[0]?.names ?? []).toEqual(names);
      return names;
    };
    expect(await namesAt(`oci:${place('a')}`)).toEqual(['localhost/app:1']);
    expect(await namesAt(`dir:${place('b')}`)).toEqual([]);
    const further = { additionalNames: ['v2', 'x/y:3'] };
    expect((await copyImage(from, `oci:${place('c')}:v1`, further)).names).toEqual(['v1', 'v2', 'x/y:3']);
    expect((await copyImage(from, `docker-archive:${place('d')}:one:1`, further)).names).toEqual([
      'docker.io/library/one:1',
      'docker.io/library/v2:latest',
      'docker.io/x/y:3',
    ]);
  });

  it('stand beside what else the source notes of the image', async () => {
    const layout = new Layout();
    const annotations = { 'org.example.build': '7', 'org.opencontainers.image.ref.name': 'v1' };
    const from = `oci:${layout.entries(layout.image({ layers: LAYERS }, { annotations })).writeTo(place('in'))}`;
    const out = place('out');
    await copyImage(from, `oci:${out}:v2`);
    const [entry] = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8')).manifests;
    expect(entry.annotations).toEqual({ ...annotations, 'org.opencontainers.image.ref.name': 'v2' });
  });

  it('go with all images of an archive', async () => {
    const images = [
      { layers: LAYERS, tags: ['a:1', 'a:2'] },
      { layers: LAYERS.slice(0, 1), tags: ['b:1'] },
    ];
    const from = scratchFile(dockerArchive(images));
    for (const transport of ['oci', 'oci-archive', 'docker-archive']) {
      const to = `${transport}:${place('out')}`;
      const copied = await copyImages(from, to);
      expect(copied.map(({ layers }) => layers.map(({ copied: how }) => how))).toEqual([
        transport === 'docker-archive' ? ['bytes', 'bytes'] : ['recompressed', 'recompressed'],
        ['present'],
      ]);
      const names = (await readBack(to)).flatMap((image) => image.names);
      const prefix = transport === 'docker-archive' ? 'docker.io/library/' : '';
      expect(names.toSorted()).toEqual([`${prefix}a:1`, `${prefix}a:2`, `${prefix}b:1`]);
    }
    const error = await storageErrorOf(() => copyImages(from, `dir:${place('dir')}`));
    expect(error.code).toBe('INDEX_UNSUPPORTED');
    await expect(copyImages(from, `oci:${place('x')}:name`)).rejects.toThrow(TypeError);
    expect((await storageErrorOf(() => copyImage(from, `oci:${place('x')}`))).code).toBe('IMAGE_AMBIGUOUS');
    const [one] = await copyImages(from, `oci:${place('x')}`, { select: 'b:1' });
    expect(one?.names).toEqual(['b:1']);
  });
});

describe('the course of a copy', () => {
  it('is told', async () => {
    const { from } = gzipLayout();
    const events: CopyEvent[] = [];
    const to = `oci:${place('out')}`;
    const copied = await copyImage(from, to, { onProgress: (event) => events.push(event) });
    expect(events[0]).toMatchObject({ type: 'image-start', image: 0, total: 1, names: ['localhost/app:1'] });
    for (const index of [0, 1]) {
      const of = events.filter((event) => 'index' in event && event.index === index);
      expect(of).toMatchObject([
        { type: 'layer-start', size: copied.layers[index]?.size },
        { type: 'layer-done', ...copied.layers[index] },
      ]);
    }
    expect(events.slice(-2)).toEqual([{ type: 'image-done', image: 0, copied }, { type: 'commit' }]);
    const again = await copyImage(from, to);
    expect(again.layers.map((layer) => layer.copied)).toEqual(['present', 'present']);
  });

  it('can be ended, and leaves nothing', async () => {
    const { from } = gzipLayout();
    for (const transport of ['oci', 'oci-archive', 'docker-archive', 'dir']) {
      for (const type of ['image-start', 'layer-start', 'layer-done', 'image-done'] as const) {
        const abort = new AbortController();
        const onProgress = (event: CopyEvent) => event.type === type && abort.abort(new Error('enough'));
        const out = place('out');
        const error = await storageErrorOf(() =>
          copyImage(from, `${transport}:${out}`, { onProgress, signal: abort.signal }),
        );
        expect(error.code).toBe('ABORTED');
        expect(existsSync(out)).toBe(false);
      }
    }
  });
});
