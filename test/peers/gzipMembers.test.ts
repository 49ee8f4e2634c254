import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  archiveOf,
  diffIDsOf,
  type ImageDescription,
  ociLayoutFiles,
  sha256,
} from '../support/imageArchive.ts';
import { layoutDefects } from '../support/images/keptLayout.ts';
import { readImage } from '../support/images/readImage.ts';
import { peersSkipReason, peerTitle, podman, skopeo, storeReference, umoci } from '../support/peers.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import { sediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { podmanImages, sedimentImages } from '../support/views.ts';

const NAME = 'localhost/members:1';
const LEVELS = [undefined, 1, 9];

/** Some megabytes: what compresses well, what does not, and both. */
function contents(): Record<string, Buffer> {
  const random = randomNumbers(17);
  const noise = Buffer.from(Array.from({ length: 1_500_000 }, () => random(256)));
  const text = Buffer.from(Array.from({ length: 200_000 }, () => `word${random(900)} `).join(''));
  return { noise, text, mixed: Buffer.concat([noise.subarray(0, 300_000), Buffer.alloc(700_000), text]) };
}

describe.skipIf(peersSkipReason)(peerTitle('gzip of several members'), () => {
  const files = contents();
  const image: ImageDescription = {
    names: [NAME],
    layers: [
      Object.entries(files).map(([name, content]) => ({ name, content })),
      [{ name: 'small', content: 'x' }],
    ],
  };
  let store: StoreRoot;
  const at = (name: string): string => join(store.path, name);
  beforeAll(async () => {
    store = makeStoreRoot();
    writeFileSync(at('source.tar'), archiveOf(ociLayoutFiles([image])));
    await sediment(store, ['import', at('source.tar')]);
    for (const level of LEVELS) {
      const options = level === undefined ? [] : ['--compression-level', String(level)];
      await sediment(store, ['export', ...options, NAME, `oci:${at(`layout-${level}`)}`]);
      await sediment(store, ['export', ...options, NAME, `oci-archive:${at(`archive-${level}.tar`)}`]);
    }
  });
  afterAll(() => store?.dispose());

  it.each(LEVELS)('has the tars that were imported, for gzip and for skopeo (level %s)', async (level) => {
    const layout = at(`layout-${level}`);
    const { layers, diffIDs, compressions } = await readImage(store, `oci:${layout}:${NAME}`);
    expect({ diffIDs, compressions }).toEqual({ diffIDs: diffIDsOf(image), compressions: ['gzip', 'gzip'] });
    for (const { digest } of layers) {
      const blob = readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
      expect(spawnSync('gzip', ['-t'], { input: blob })).toMatchObject({ status: 0 });
      const plain = spawnSync('gzip', ['-dc'], { input: blob, maxBuffer: 2 ** 30 }).stdout;
      expect(diffIDs).toContain(`sha256:${sha256(plain)}`);
    }
    expect(layoutDefects(layout)).toEqual([]);
    const archived = await readImage(store, `oci-archive:${at(`archive-${level}.tar`)}:${NAME}`);
    expect(archived.layers).toEqual(layers);
  });

  it.each(LEVELS)('is what skopeo, podman and we put into stores (level %s)', async (level) => {
    const archive = `oci-archive:${at(`archive-${level}.tar`)}`;
    await using copied = makeStoreRoot();
    await using loaded = makeStoreRoot();
    await using ours = makeStoreRoot();
    await Promise.all([
      skopeo(copied, ['copy', '--quiet', `${archive}:${NAME}`, storeReference(copied, NAME)]),
      podman(loaded, ['load', '--quiet', '--input', at(`archive-${level}.tar`)]),
      sediment(ours, ['import', at(`archive-${level}.tar`)]),
    ]);
    const images = await podmanImages(copied);
    expect(images.flatMap(({ names }) => names)).toEqual([NAME]);
    expect(await podmanImages(loaded)).toEqual(images);
    expect(await sedimentImages(ours)).toEqual(images);
    for (const each of [copied, loaded, ours]) {
      const { diffIDs } = await readImage(each, storeReference(each, NAME));
      expect(diffIDs).toEqual(diffIDsOf(image));
    }
  });

  it('is unpacked by umoci', async () => {
    mkdirSync(at('bundles'));
    for (const level of LEVELS) {
      const bundle = at(`bundles/${level}`);
      await umoci(['unpack', '--image', `${at(`layout-${level}`)}:${NAME}`, bundle]);
      for (const [name, content] of Object.entries(files)) {
        expect(readFileSync(join(bundle, 'rootfs', name)).equals(content), name).toBe(true);
      }
    }
  });
});
