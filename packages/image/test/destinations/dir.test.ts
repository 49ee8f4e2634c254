import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, digestOf } from '@sediment/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ImageDestination } from '../../src/destinations/imageDestination.ts';
import { openImageDestination } from '../../src/destinations/openImageDestination.ts';
import { describe as descriptor, json, layerTar } from '../support/imageParts.ts';
import { OCI } from '../support/layout.ts';
import { blobOf, documentOf, ociImage, putBlobs, putImage, writeImage } from '../support/newImage.ts';
import { readBack } from '../support/readBack.ts';
import { scratch } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const [A, B] = ['a', 'b'].map((name) => layerTar(name)) as [Buffer, Buffer];
const [ONE, TWO] = [ociImage([A]), ociImage([B])] as const;
const hex = (bytes: Uint8Array) => digestHex(digestOf(bytes));

let place: string;
const open = (): Promise<ImageDestination> => openImageDestination({ transport: 'dir', path: place });
const read = (name: string) => readFileSync(join(place, name), 'utf8');

beforeEach(() => {
  place = join(scratch(), 'image');
});

describe('a dir image', () => {
  it('is made of plain files', async () => {
    await writeImage(open(), ONE, { names: ['ignored:1'] });
    expect(readdirSync(place).sort()).toEqual(['manifest.json', 'version', hex(A), hex(ONE.config)].sort());
    expect(read('version')).toBe('Directory Transport Version: 1.1\n');
    expect(read('manifest.json')).toBe(Buffer.from(ONE.manifest.bytes).toString());
    for (const name of readdirSync(place)) expect(statSync(join(place, name)).mode & 0o777).toBe(0o644);
  });

  it('keeps signatures', async () => {
    const signatures = ['first', 'second'].map((text) => Buffer.from(text));
    await writeImage(open(), ONE, { signatures });
    expect([read('signature-1'), read('signature-2')]).toEqual(['first', 'second']);
    expect((await readBack(`dir:${place}`))[0]?.signatures).toEqual(['first', 'second']);
  });

  it('keeps an index with its instances and their signatures', async () => {
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
      await using destination = await open();
      for (const image of [ONE, TWO]) {
        await putBlobs(destination, image);
        await destination.putInstance(image.manifest, [Buffer.from('signed')]);
      }
      await destination.putImage({ document: index, names: [], signatures: [Buffer.from('all')] });
      await destination.commit();
    }
    const [one, two] = [ONE, TWO].map(({ manifest }) => digestHex(manifest.digest)) as [string, string];
    expect(readdirSync(place).sort()).toEqual(
      [
        ...['manifest.json', 'signature-1', 'version', hex(A), hex(B), hex(ONE.config), hex(TWO.config)],
        ...[one, two].flatMap((name) => [`${name}.manifest.json`, `${name}.signature-1`]),
      ].sort(),
    );
    expect(await readBack(`dir:${place}`, { os: 'linux', architecture: 'arm64' })).toMatchObject([
      { layers: [B.toString('latin1')], signatures: ['signed'] },
    ]);
  });

  it('has version 1.2 and longer names for other digests', async () => {
    const digest = digestOf(A, 'sha512');
    const manifest = JSON.parse(Buffer.from(ONE.manifest.bytes).toString());
    manifest.layers[0].digest = digest;
    {
      await using destination = await open();
      await destination.putBlob(blobOf(A, { digest }));
      await destination.putBlob(blobOf(ONE.config));
      await destination.putImage({ document: documentOf(OCI.manifest, json(manifest)), names: [] });
      await destination.commit();
    }
    expect(read('version')).toBe('Directory Transport Version: 1.2\n');
    expect(readdirSync(place)).toContain(`sha512-${digestHex(digest)}`);
    expect((await readBack(`dir:${place}`))[0]?.layers).toEqual([A.toString('latin1')]);
  });

  it('replaces the image that was there, and leaves other files', async () => {
    await writeImage(open(), ONE, { signatures: ['1', '2', '3'].map((text) => Buffer.from(text)) });
    writeFileSync(join(place, 'notes.txt'), 'mine');
    await writeImage(open(), TWO, { signatures: [Buffer.from('new')] });
    expect(readdirSync(place).sort()).toEqual(
      ['manifest.json', 'notes.txt', 'signature-1', 'version', hex(B), hex(TWO.config)].sort(),
    );
    expect((await readBack(`dir:${place}`))[0]?.signatures).toEqual(['new']);
  });

  it('is not touched until the commit, and not at all without one', async () => {
    await writeImage(open(), ONE, { signatures: [Buffer.from('old')] });
    const before = readdirSync(place).sort();
    {
      await using destination = await open();
      await putImage(destination, TWO, { signatures: [Buffer.from('new')] });
      expect(
        readdirSync(place)
          .filter((name) => !name.startsWith('.'))
          .sort(),
      ).toEqual(before);
    }
    expect(readdirSync(place).sort()).toEqual(before);
    expect((await readBack(`dir:${place}`))[0]?.signatures).toEqual(['old']);
  });

  it.each([
    ['other files', 'notes.txt', 'mine', /don't want to overwrite important data/],
    [
      'a later version',
      'version',
      'Directory Transport Version: 1.3\n',
      /unsupported directory transport version/,
    ],
    ['another version file', 'version', '2\n', /unsupported directory transport version/],
  ])('is not written where there is %s', async (_, name, content, message) => {
    mkdirSync(place);
    writeFileSync(join(place, name), content);
    const error = await storageErrorOf(open);
    expect(error).toMatchObject({ code: 'DESTINATION_INVALID', message: expect.stringMatching(message) });
    expect(read(name)).toBe(content);
    expect(readdirSync(place)).toEqual([name]);
  });

  it('is not written over files that came meanwhile', async () => {
    await using destination = await open();
    await putImage(destination, ONE);
    writeFileSync(join(place, 'notes.txt'), 'mine');
    expect(await storageErrorOf(() => destination.commit())).toMatchObject({ code: 'DESTINATION_INVALID' });
    expect(readdirSync(place).filter((entry) => !entry.startsWith('.'))).toEqual(['notes.txt']);
  });

  it('is one image', async () => {
    await using destination = await open();
    await putImage(destination, ONE);
    expect(await storageErrorOf(() => putImage(destination, TWO))).toMatchObject({
      code: 'DESTINATION_INVALID',
    });
  });
});
