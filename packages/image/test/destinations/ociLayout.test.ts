import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, digestOf } from '@sediment/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FileTransport, ImageDestination } from '../../src/destinations/imageDestination.ts';
import { openImageDestination } from '../../src/destinations/openImageDestination.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { describe as descriptor, json, layerTar } from '../support/imageParts.ts';
import { layoutOf, OCI, REF_NAME } from '../support/layout.ts';
import { blobOf, documentOf, ociImage, putBlobs, putImage, writeImage } from '../support/newImage.ts';
import { readBack } from '../support/readBack.ts';
import { scratch } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const [A, B] = ['a', 'b'].map((name) => layerTar(name)) as [Buffer, Buffer];
const [ONE, TWO] = [ociImage([A]), ociImage([A, B])] as const;

let place: string;
const open = (transport: FileTransport = 'oci'): Promise<ImageDestination> =>
  openImageDestination({ transport, path: place });
const write = (image: typeof ONE, ...names: string[]) => writeImage(open(), image, { names });

interface Entry {
  readonly digest: string;
  readonly annotations?: Record<string, string>;
}

function entries(): readonly [string, string | undefined][] {
  const { manifests } = JSON.parse(readFileSync(join(place, 'index.json'), 'utf8'));
  return (manifests as Entry[]).map(({ digest, annotations }) => [
    digest === ONE.manifest.digest ? 'one' : digest === TWO.manifest.digest ? 'two' : digest,
    annotations?.[REF_NAME],
  ]);
}

beforeEach(() => {
  place = join(scratch(), 'layout');
});

describe('an OCI layout', () => {
  it('is made of the files that the specification names', async () => {
    await write(ONE, 'app');
    expect(readdirSync(place).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(readFileSync(join(place, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion": "1.0.0"}');
    expect(JSON.parse(readFileSync(join(place, 'index.json'), 'utf8'))).toEqual({
      schemaVersion: 2,
      mediaType: OCI.index,
      manifests: [descriptor(OCI.manifest, ONE.manifest.bytes, { annotations: { [REF_NAME]: 'app' } })],
    });
    const blobs = readdirSync(join(place, 'blobs/sha256'));
    const digests = [A, ONE.config, ONE.manifest.bytes].map((bytes) => digestHex(digestOf(bytes)));
    expect(blobs.sort()).toEqual(digests.sort());
  });

  it('has files that others may read, whatever the umask', async () => {
    const umask = process.umask(0o077);
    try {
      await write(ONE, 'app');
    } finally {
      process.umask(umask);
    }
    const blob = join(place, 'blobs/sha256', digestHex(digestOf(A)));
    for (const path of [blob, join(place, 'index.json')]) expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it('lists images by the rules of containers/image', async () => {
    await write(ONE, 'a');
    await write(ONE, 'a');
    expect(entries()).toEqual([['one', 'a']]);
    await write(ONE, 'b');
    expect(entries()).toEqual([
      ['one', 'a'],
      ['one', 'b'],
    ]);
    await write(TWO, 'a');
    expect(entries()).toEqual([
      ['one', undefined],
      ['one', 'b'],
      ['two', 'a'],
    ]);
    await write(ONE);
    expect(entries()).toHaveLength(3);
    await write(ONE, 'c', 'd');
    expect(entries()).toEqual([
      ['one', 'c'],
      ['one', 'b'],
      ['two', 'a'],
      ['one', 'd'],
    ]);
  });

  it('keeps what it does not know, and other annotations', async () => {
    const layout = layoutOf([B], 'other');
    const index = JSON.parse(layout.files.get('index.json')?.toString() ?? '');
    index.annotations = { 'org.example': 'x' };
    index.manifests[0].annotations['io.example'] = 'y';
    index.manifests[0].platform = { os: 'linux', architecture: 'amd64', 'os.features': ['z'] };
    layout.files.set('index.json', json(index));
    layout.writeTo(place);
    await writeImage(open(), ONE, { names: ['other'], annotations: { 'io.example': 'mine' } });
    const written = JSON.parse(readFileSync(join(place, 'index.json'), 'utf8'));
    expect(written).toMatchObject({ schemaVersion: 2, annotations: { 'org.example': 'x' } });
    expect(written).not.toHaveProperty('mediaType');
    expect(written.manifests[0]).toEqual({ ...index.manifests[0], annotations: { 'io.example': 'y' } });
    expect(written.manifests[1].annotations).toEqual({ 'io.example': 'mine', [REF_NAME]: 'other' });
  });

  it('takes several images at once', async () => {
    {
      await using destination = await open();
      await putImage(destination, ONE, { names: ['one', 'eins'] });
      await putImage(destination, TWO, { names: ['two'] });
      await destination.commit();
    }
    expect((await readBack(`oci:${place}`)).map(({ names }) => names)).toEqual([['one', 'eins'], ['two']]);
  });

  it('tells which blobs it has, and these need not be put', async () => {
    await write(ONE, 'one');
    await using destination = await open();
    expect(await destination.blobSize(digestOf(A))).toBe(A.length);
    expect(await destination.blobSize(digestOf(B))).toBeUndefined();
    await destination.putBlob(blobOf(B));
    await destination.putBlob(blobOf(TWO.config));
    await destination.putImage({ document: TWO.manifest, names: ['two'] });
    await destination.commit();
    expect((await readBack(`oci:${place}`)).map(({ names }) => names)).toEqual([['one'], ['two']]);
  });

  it('replaces a blob that is damaged there', async () => {
    await write(ONE, 'one');
    const blob = join(place, 'blobs/sha256', digestHex(digestOf(A)));
    writeFileSync(blob, Buffer.alloc(A.length));
    await write(TWO, 'two');
    expect(readFileSync(blob).equals(A)).toBe(true);
  });

  it('is left alone when nothing comes of it', async () => {
    await write(ONE, 'one');
    const before = readFileSync(join(place, 'index.json'));
    {
      await using destination = await open();
      await putImage(destination, TWO, { names: ['one'] });
    }
    expect(readFileSync(join(place, 'index.json')).equals(before)).toBe(true);
    expect(readdirSync(place).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(readdirSync(join(place, 'blobs/sha256'))).toHaveLength(3);
  });

  it('may be an empty directory before, or one where nothing but blobs came into being', async () => {
    mkdirSync(place);
    await write(ONE, 'one');
    rmSync(join(place, 'index.json'));
    await write(TWO, 'two');
    expect(entries()).toEqual([['two', 'two']]);
  });

  it.each([
    ['foreign files', 'notes.txt', 'mine', /is not empty, and no OCI layout/],
    ['a dir image', 'manifest.json', '{}', /is not empty, and no OCI layout/],
    ['an index that is no JSON', 'index.json', '{', /not valid JSON/],
    ['an index of another shape', 'index.json', '{"manifests":{}}', /"manifests"/],
  ])('is not written where there is %s', async (_, name, content, message) => {
    mkdirSync(place);
    writeFileSync(join(place, name), content);
    const error = await storageErrorOf(open);
    expect(error).toMatchObject({ code: 'DESTINATION_INVALID', message: expect.stringMatching(message) });
    expect(error.hint).toBeTruthy();
    expect(readdirSync(place)).toEqual([name]);
  });

  it('whose index is damaged meanwhile is not changed', async () => {
    await write(ONE, 'one');
    await using destination = await open();
    await putImage(destination, TWO, { names: ['two'] });
    writeFileSync(join(place, 'index.json'), 'oops');
    expect(await storageErrorOf(() => destination.commit())).toMatchObject({ code: 'DESTINATION_INVALID' });
    expect(readFileSync(join(place, 'index.json'), 'utf8')).toBe('oops');
    expect(readdirSync(join(place, 'blobs/sha256'))).toHaveLength(3);
  });
});

describe.each(['oci', 'oci-archive'] as const)('%s', (transport) => {
  it('holds an index with its instances', async () => {
    const instances = [ONE, TWO].map(({ manifest }, i) =>
      descriptor(manifest.mediaType, manifest.bytes, {
        platform: { os: 'linux', architecture: ['amd64', 'arm64'][i] },
      }),
    );
    const index = documentOf(
      OCI.index,
      json({ schemaVersion: 2, mediaType: OCI.index, manifests: instances }),
    );
    {
      await using destination = await open(transport);
      for (const image of [ONE, TWO]) {
        await putBlobs(destination, image);
        await destination.putInstance(image.manifest);
      }
      await destination.putImage({ document: index, names: ['multi'] });
      await destination.commit();
    }
    await using source = await openImageSource(`${transport}:${place}`);
    expect(source.images.map(({ names, digest }) => [names, digest])).toEqual([[['multi'], index.digest]]);
    const opened = await source.images[0]?.open({ platform: { os: 'linux', architecture: 'arm64' } });
    expect(opened?.config.digest).toBe(digestOf(TWO.config));
    expect(opened?.index?.digest).toBe(index.digest);
  });

  it('holds blobs of other digests', async () => {
    const digest = digestOf(A, 'sha512');
    const manifest = JSON.parse(Buffer.from(ONE.manifest.bytes).toString());
    manifest.layers[0].digest = digest;
    const document = documentOf(OCI.manifest, json(manifest));
    {
      await using destination = await open(transport);
      await destination.putBlob(blobOf(A, { digest }));
      await destination.putBlob(blobOf(ONE.config));
      await destination.putImage({ document, names: ['app'] });
      await destination.commit();
    }
    expect((await readBack(`${transport}:${place}`))[0]?.layers).toEqual([A.toString('latin1')]);
  });

  it('holds an artifact, and a layer that is to be had elsewhere', async () => {
    const empty = Buffer.from('{}');
    const foreign = { ...descriptor(OCI.layer, B), urls: ['https://example.com/layer'] };
    const artifact = documentOf(
      OCI.manifest,
      json({
        schemaVersion: 2,
        mediaType: OCI.manifest,
        artifactType: 'text/plain',
        config: descriptor('application/vnd.oci.empty.v1+json', empty),
        layers: [foreign],
      }),
    );
    await using destination = await open(transport);
    await destination.putBlob(blobOf(empty, { kind: 'config' }));
    await destination.putImage({ document: artifact, names: ['artifact'] });
    await destination.commit();
  });

  it('refuses a manifest of Docker schema 1', async () => {
    await using destination = await open(transport);
    const mediaType = 'application/vnd.docker.distribution.manifest.v1+json';
    const document = documentOf(mediaType, json({ schemaVersion: 1, fsLayers: [], history: [] }));
    const put = () => destination.putImage({ document, names: [] });
    expect(await storageErrorOf(put)).toMatchObject({ code: 'NOT_SUPPORTED' });
  });

  it('refuses a manifest that could be read in two ways', async () => {
    await using destination = await open(transport);
    const manifest = JSON.parse(Buffer.from(ONE.manifest.bytes).toString());
    const document = documentOf(OCI.manifest, json({ ...manifest, manifests: [] }));
    const put = () => destination.putImage({ document, names: [] });
    expect(await storageErrorOf(put)).toMatchObject({ code: 'MANIFEST_INVALID' });
  });
});
