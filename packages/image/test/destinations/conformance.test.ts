/** What every destination does, whatever its form. What is special to one is in a file of its own. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, StorageError } from '@sediment/core';
import { afterEach, describe, expect, it } from 'vitest';
import { unmountBelow } from '../../../../test/support/mounts.ts';
import { fillSpace, mountReadOnly, mountSmall } from '../../../../test/support/smallFileSystems.ts';
import type {
  FileTransport,
  ImageDestination,
  OpenDestinationOptions,
} from '../../src/destinations/imageDestination.ts';
import { openImageDestination } from '../../src/destinations/openImageDestination.ts';
import { layerTar } from '../support/imageParts.ts';
import {
  blobOf,
  dockerImage,
  ociImage,
  putBlobs,
  putImage,
  type TestImage,
  unknownBlob,
  writeImage,
} from '../support/newImage.ts';
import { type ReadImage, readBack, textOf } from '../support/readBack.ts';
import { scratch } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(70_000)), layerTar('etc/c', 'c'.repeat(511))];
const IMAGE = dockerImage(LAYERS);
const TRANSPORTS: readonly FileTransport[] = ['docker-archive', 'oci', 'oci-archive', 'dir'];
const isRoot = process.getuid?.() === 0;

describe.each(TRANSPORTS)('destination %s', (transport) => {
  const isArchive = transport.endsWith('archive');
  const named = transport === 'dir' ? [] : ['example.com/app:1'];
  let place = '';
  const open = (options: OpenDestinationOptions = {}): Promise<ImageDestination> => {
    place ||= join(scratch(), isArchive ? 'image.tar' : 'image');
    return openImageDestination({ transport, path: place }, options);
  };
  const parent = (): string => join(place, '..');
  const expected = ({ manifest, config, layers }: TestImage, names = named): ReadImage => ({
    names,
    manifest: textOf(manifest.bytes),
    config: textOf(config),
    layers: layers.map(textOf),
    signatures: [],
  });
  const read = () => readBack(`${transport}:${place}`);
  const expectNothingLeft = () => expect(readdirSync(parent())).toEqual([]);

  afterEach(() => {
    if (place !== '') unmountBelow(parent());
    place = '';
  });

  describe('what was written', () => {
    it.each([
      ['three layers', IMAGE],
      ['no layer', dockerImage([])],
      ['the same layer twice', dockerImage([LAYERS[0] as Buffer, LAYERS[0] as Buffer])],
      ['an empty layer', dockerImage([Buffer.alloc(0), Buffer.alloc(1024)])],
    ])('is read back: %s', async (_, image) => {
      await writeImage(open(), image, { names: named });
      expect(await read()).toEqual([expected(image)]);
      expect(readdirSync(parent())).toEqual([isArchive ? 'image.tar' : 'image']);
    });

    it('has no name when it got none', async () => {
      await writeImage(open(), IMAGE);
      expect(await read()).toEqual([expected(IMAGE, [])]);
    });

    it('does not depend on what was known of the blobs', async () => {
      {
        await using destination = await open();
        for (const layer of LAYERS) {
          expect(await destination.putBlob(unknownBlob(layer))).toEqual({
            digest: digestOf(layer),
            size: layer.length,
          });
        }
        await destination.putBlob({ ...unknownBlob(IMAGE.config), kind: 'config' });
        await destination.putImage({ document: IMAGE.manifest, names: named });
        await destination.commit();
      }
      expect(await read()).toEqual([expected(IMAGE)]);
      const unknown = isArchive ? readFileSync(place) : undefined;
      place = '';
      await writeImage(open(), IMAGE, { names: named });
      if (isArchive) expect(readFileSync(place).equals(unknown as Buffer)).toBe(true);
    });

    it('is the same when blobs are put side by side', async () => {
      {
        await using destination = await open();
        const blobs = [...LAYERS, LAYERS[0] as Buffer].flatMap((layer) => [
          unknownBlob(layer),
          blobOf(layer, { size: undefined as unknown as number }),
          blobOf(layer),
        ]);
        const stored = await Promise.all(blobs.map((blob) => destination.putBlob(blob)));
        expect(new Set(stored.map(({ digest }) => digest))).toEqual(
          new Set(LAYERS.map((layer) => digestOf(layer))),
        );
        await putImage(destination, IMAGE, { names: named });
        await destination.commit();
      }
      expect(await read()).toEqual([expected(IMAGE)]);
      const first = isArchive ? readFileSync(place) : undefined;
      place = '';
      await writeImage(open(), IMAGE, { names: named });
      if (isArchive) expect(readFileSync(place).equals(first as Buffer)).toBe(true);
    });

    it('appears at the commit, and not before', async () => {
      await using destination = await open();
      await putImage(destination, IMAGE, { names: named });
      const before = isArchive ? [] : readdirSync(place).filter((name) => !name.startsWith('.'));
      expect(isArchive && existsSync(place)).toBe(false);
      expect(before).toEqual([]);
      await destination.commit();
      expect(await read()).toEqual([expected(IMAGE)]);
    });
  });

  describe('a blob', () => {
    it('is there once it was put, and is not read again', async () => {
      await using destination = await open();
      const [layer] = LAYERS as [Buffer];
      const digest = digestOf(layer);
      expect(await destination.blobSize(digest)).toBeUndefined();
      await destination.putBlob(blobOf(layer));
      expect(await destination.blobSize(digest)).toBe(layer.length);
      const unreadable = async function* () {
        yield Buffer.alloc(0);
        throw new Error('read again');
      };
      expect(await destination.putBlob(blobOf(layer, { open: unreadable }))).toEqual({
        digest,
        size: layer.length,
      });
    });

    it.each([
      ['a wrong digest', { digest: digestOf('other') }, 'DIGEST_MISMATCH'],
      ['a size that is too small', { size: 700 }, 'SIZE_MISMATCH'],
      ['a size that is too large', { size: 1_000_000 }, 'SIZE_MISMATCH'],
      ['a wrong size and no digest', { size: 1, digest: undefined as never }, 'SIZE_MISMATCH'],
      [
        'a wrong digest and no size',
        { digest: digestOf('other'), size: undefined as never },
        'DIGEST_MISMATCH',
      ],
      ['a wrong config', { kind: 'config' as const, digest: digestOf('other') }, 'DIGEST_MISMATCH'],
    ])('with %s is refused, and the right one can follow', async (_, lie, code) => {
      {
        await using destination = await open();
        await destination.putBlob(blobOf(LAYERS[0] as Buffer));
        const error = await storageErrorOf(() => destination.putBlob(blobOf(LAYERS[1] as Buffer, lie)));
        expect(error).toMatchObject({ code });
        expect(error.hint).toBeTruthy();
        expect(await destination.blobSize(digestOf('other'))).toBeUndefined();
        await putImage(destination, IMAGE, { names: named });
        await destination.commit();
      }
      expect(await read()).toEqual([expected(IMAGE)]);
    });

    it('that fails side by side does not hinder the others', async () => {
      {
        await using destination = await open();
        const results = await Promise.allSettled([
          destination.putBlob(blobOf(LAYERS[0] as Buffer)),
          destination.putBlob(blobOf(LAYERS[1] as Buffer, { digest: digestOf('other') })),
          destination.putBlob({ ...unknownBlob(LAYERS[1] as Buffer), size: 3 }),
          destination.putBlob(unknownBlob(LAYERS[2] as Buffer)),
        ]);
        expect(results.map(({ status }) => status)).toEqual([
          'fulfilled',
          'rejected',
          'rejected',
          'fulfilled',
        ]);
        await putImage(destination, IMAGE, { names: named });
        await destination.commit();
      }
      expect(await read()).toEqual([expected(IMAGE)]);
    });

    it('that fails to be read passes the error on, and leaves nothing', async () => {
      const failure = new StorageError('IO', 'the source is gone');
      {
        await using destination = await open();
        const broken = async function* () {
          yield Buffer.alloc(5000);
          throw failure;
        };
        for (const more of [{}, { size: undefined as never }, { digest: undefined as never }]) {
          const blob = blobOf(LAYERS[1] as Buffer, { open: broken, ...more });
          await expect(destination.putBlob(blob)).rejects.toBe(failure);
        }
      }
      expectNothingLeft();
    });

    it.each(['its own signal', 'the signal of the destination'])('is aborted by %s', async (whose) => {
      const controller = new AbortController();
      const { signal } = controller;
      const isOwn = whose === 'its own signal';
      {
        await using destination = await open(isOwn ? {} : { signal });
        const endless = async function* () {
          for (let i = 0; ; i++) {
            if (i === 3) controller.abort(new Error('enough'));
            yield Buffer.alloc(10_000);
          }
        };
        const blob = { ...unknownBlob(LAYERS[0] as Buffer), open: endless, ...(isOwn ? { signal } : {}) };
        expect(await storageErrorOf(() => destination.putBlob(blob))).toMatchObject({ code: 'ABORTED' });
      }
      expectNothingLeft();
    });
  });

  describe('an image', () => {
    it('whose layer was not put is refused', async () => {
      await using destination = await open();
      await destination.putBlob(blobOf(LAYERS[0] as Buffer));
      await destination.putBlob(blobOf(IMAGE.config, { kind: 'config' }));
      const put = () => destination.putImage({ document: IMAGE.manifest, names: [] });
      const error = await storageErrorOf(put);
      expect(error).toMatchObject({ code: 'BLOB_MISSING', facts: { object: digestOf(LAYERS[1] as Buffer) } });
    });

    it('whose config was not put is refused', async () => {
      await using destination = await open();
      for (const layer of LAYERS) await destination.putBlob(blobOf(layer));
      const put = () => destination.putImage({ document: IMAGE.manifest, names: [] });
      expect(await storageErrorOf(put)).toMatchObject({
        code: 'BLOB_MISSING',
        facts: { object: digestOf(IMAGE.config) },
      });
    });

    it('is held with the media types and signatures that the limits name', async () => {
      await using destination = await open();
      const { limits } = destination;
      expect(limits.manifestTypes.includes(IMAGE.manifest.mediaType)).toBe(true);
      const oci = ociImage([LAYERS[0] as Buffer]);
      await putBlobs(destination, oci);
      const put = (signatures: Uint8Array[]) =>
        destination.putImage({ document: oci.manifest, names: [], signatures });
      if (!limits.signatures) {
        expect(await storageErrorOf(() => put([Buffer.from('s')]))).toMatchObject({
          code: 'SIGNATURES_UNSUPPORTED',
        });
      }
      if (limits.manifestTypes.includes(oci.manifest.mediaType)) await put([]);
      else expect(await storageErrorOf(() => put([]))).toMatchObject({ code: 'NOT_SUPPORTED' });
    });
  });

  describe('without a commit', () => {
    it('nothing is left', async () => {
      {
        await using destination = await open();
        await putImage(destination, IMAGE, { names: named });
        await destination.close();
      }
      expectNothingLeft();
    });

    it('nothing is left, even if blobs are still being written', async () => {
      const destination = await open();
      let isClosed = false;
      const slow = async function* () {
        while (!isClosed) {
          yield Buffer.alloc(100);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        yield Buffer.alloc(100);
      };
      const putting = destination.putBlob({ ...unknownBlob(LAYERS[0] as Buffer), open: slow });
      const settled = putting.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await destination.close();
      isClosed = true;
      await settled;
      expectNothingLeft();
    });
  });

  describe('a place', () => {
    it.each(['missing/image', 'file/image'])('in no directory is refused or made: %s', async (path) => {
      const directory = scratch();
      writeFileSync(join(directory, 'file'), 'content');
      place = join(directory, path);
      if (!isArchive && path.startsWith('missing')) {
        await writeImage(open(), IMAGE, { names: named });
        expect(await read()).toEqual([expected(IMAGE)]);
      } else {
        expect(await storageErrorOf(open)).toMatchObject({ code: 'DESTINATION_INVALID' });
        expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('content');
      }
    });

    it('of the other kind (file, directory) is refused', async () => {
      place = join(scratch(), 'image');
      if (isArchive) mkdirSync(place);
      else writeFileSync(place, 'content');
      const error = await storageErrorOf(open);
      expect(error).toMatchObject({ code: 'DESTINATION_INVALID' });
      expect(error.message).toMatch(isArchive ? /is a directory/ : /not a directory/);
    });

    it.runIf(isRoot)('on a read-only file system is refused', async () => {
      place = join(scratch(), isArchive ? 'image.tar' : 'image');
      if (!isArchive) mkdirSync(place);
      mountReadOnly(parent());
      const error = await storageErrorOf(open);
      expect(error).toMatchObject({ code: 'PERMISSION_DENIED', facts: { errnoCode: 'EROFS' } });
    });

    it.runIf(isRoot)('on a full disk is called that, and nothing is left', async () => {
      const directory = scratch();
      mountSmall(directory, 'size=1m');
      place = join(directory, isArchive ? 'image.tar' : 'image');
      fillSpace(join(directory, 'filler'), 20);
      const large = layerTar('large', 'x'.repeat(200_000));
      for (const blob of [blobOf(large), unknownBlob(large)]) {
        await using destination = await open();
        const error = await storageErrorOf(() => destination.putBlob(blob));
        expect(error).toMatchObject({ code: 'NO_SPACE', facts: { errnoCode: 'ENOSPC' } });
        expect(error.hint).toMatch(/free some space/);
      }
      expect(readdirSync(directory)).toEqual(['filler']);
    });
  });
});
