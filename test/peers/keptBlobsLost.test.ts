import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ImageLibrary, imageLibrary } from '../support/images/imageLibrary.ts';
import { blobsOf, entriesOf, keptLayout, layoutDefects } from '../support/images/keptLayout.ts';
import { type ImageFacts, readImage } from '../support/images/readImage.ts';
import { referenceIn } from '../support/images/references.ts';
import { peersSkipReason, peerTitle, podman, skopeo, storeReference } from '../support/peers.ts';
import { expectFailure } from '../support/refusal.ts';
import { sediment, sedimentJson, startSediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { podmanImages, sedimentImages } from '../support/views.ts';

const NAME = 'localhost/kept:1';
const OTHER = 'localhost/other:1';

interface BlobRow {
  digest: string;
  pinned: boolean;
}

describe.skipIf(peersSkipReason)(peerTitle('a store with kept blobs'), () => {
  let library: ImageLibrary;
  let original: ImageFacts;
  beforeAll(async () => {
    library = await imageLibrary();
    original = await readImage(library.store, `oci:${library.at('oci/gzip')}`);
  });

  const keep = (store: StoreRoot, ...options: string[]) =>
    sediment(store, ['import', '--keep-blobs', '--name', NAME, ...options, `oci:${library.at('oci/gzip')}`]);

  const importOther = (store: StoreRoot, ...options: string[]) =>
    sediment(store, ['import', '--name', OTHER, ...options, `oci:${library.at('odd/v2s2')}`]);

  const list = (store: StoreRoot) => sedimentJson<BlobRow[]>(store, ['blobs', 'list']);

  /** That the image still leaves the store byte for byte. */
  async function expectFaithful(store: StoreRoot): Promise<void> {
    const to = referenceIn(store, 'oci', { path: 'faithful', name: NAME });
    rmSync(join(store.path, 'faithful'), { recursive: true, force: true });
    await sediment(store, ['export', '--preserve-digests', NAME, to]);
    expect(await readImage(store, to)).toEqual(original);
  }

  it.concurrent.each<[string, (store: StoreRoot) => Promise<unknown>]>([
    ['podman rmi', (store) => podman(store, ['rmi', NAME])],
    ['podman system prune', (store) => podman(store, ['system', 'prune', '--all', '--force'])],
    ['skopeo delete', (store) => skopeo(store, ['delete', storeReference(store, NAME)])],
  ])('loses an image to %s, and its blobs to the next collection', async (_, remove) => {
    await using store = makeStoreRoot();
    await keep(store);
    await remove(store);
    expect(layoutDefects(keptLayout(store))).toEqual([]);
    expect(await podmanImages(store)).toEqual([]);
    expect(await sedimentImages(store)).toEqual([]);
    await sediment(store, ['gc']);
    expect(blobsOf(keptLayout(store))).toEqual([]);
    expect(entriesOf(keptLayout(store))).toEqual([]);
    await sediment(store, ['check']);
    await keep(store);
    await expectFaithful(store);
  });

  it('is to podman, buildah and skopeo as if it kept none', async () => {
    await using store = makeStoreRoot();
    await using plain = makeStoreRoot();
    await keep(store);
    await sediment(plain, ['import', '--name', NAME, `oci:${library.at('oci/gzip')}`]);
    const views = await Promise.all(
      [store, plain].map(async (each) => ({
        images: await podmanImages(each),
        inspected: (
          await podman(each, ['image', 'inspect', '--format', '{{.Digest}} {{.RootFS.Layers}}', NAME])
        ).stdout,
        copied: await readImage(each, storeReference(each, NAME)),
      })),
    );
    expect(views[0]).toEqual(views[1]);
  });

  it.concurrent.each<[string, (sedimentRoot: string) => void]>([
    ['its index is lost', (root) => rmSync(join(root, 'index.sqlite'))],
    ['its index is no database', (root) => writeFileSync(join(root, 'index.sqlite'), 'x'.repeat(9000))],
    ['a page of its index is damaged', (root) => damage(join(root, 'index.sqlite'), 4096)],
    [
      'its index is an older one',
      (root) => copyFileSync(join(root, 'older.sqlite'), join(root, 'index.sqlite')),
    ],
    ['its index.json is lost', (root) => rmSync(join(root, 'oci/index.json'))],
    ['its index.json is cut off', (root) => truncateSync(join(root, 'oci/index.json'), 100)],
  ])('loses nothing when %s', async (_, damageIt) => {
    await using store = makeStoreRoot();
    const root = join(store.graphRoot, 'sediment');
    await keep(store);
    copyFileSync(join(root, 'index.sqlite'), join(root, 'older.sqlite'));
    await importOther(store, '--keep-blobs');
    const [rows, entries] = [await list(store), entriesOf(keptLayout(store))];
    damageIt(root);
    await expectFaithful(store);
    const digests = (blobs: BlobRow[]) => blobs.map(({ digest }) => digest).sort();
    expect(digests(await list(store))).toEqual(digests(rows));
    await sediment(store, ['gc']);
    await sediment(store, ['rmi', OTHER]);
    expect(layoutDefects(keptLayout(store))).toEqual([]);
    expect(entriesOf(keptLayout(store))).toEqual(entries.filter(({ digest }) => digest === original.digest));
    await expectFaithful(store);
  });

  it('tells of a damaged blob, and makes the layer anew only where digests may change', async () => {
    await using store = makeStoreRoot();
    await keep(store);
    const [layer = ''] = original.layers.map(({ digest }) => digest);
    damage(join(keptLayout(store), 'blobs/sha256', layer.slice(7)), 5000);
    const to = referenceIn(store, 'oci', { name: NAME });
    const refused = await startSediment(store, ['export', '--preserve-digests', NAME, to]);
    expectFailure(refused, { code: 'DIGEST_MISMATCH', says: [layer] });
    expect(existsSync(join(store.path, 'copy'))).toBe(false);
    const { stderr } = await sediment(store, ['export', NAME, to]);
    expect(stderr).toContain('[KEPT_BLOB_DAMAGED]');
    const { diffIDs, config } = await readImage(store, to);
    expect({ diffIDs, config }).toEqual({ diffIDs: original.diffIDs, config: original.config });
  });

  it('keeps all, if told so, and nothing after an export, if told so', async () => {
    await using store = makeStoreRoot();
    await sediment(store, ['blobs', 'policy', 'all']);
    await sediment(store, ['import', '--name', NAME, `oci:${library.at('oci/gzip')}`]);
    await expectFaithful(store);
    await expectFaithful(store);
    await sediment(store, ['blobs', 'policy', 'until-export']);
    await expectFaithful(store);
    expect(await list(store)).toEqual([]);
    expect(blobsOf(keptLayout(store))).toEqual([]);
    expect((await sedimentImages(store)).map(({ names }) => names)).toEqual([[NAME]]);
  });

  it('keeps what is pinned, and collects the rest, if told so', async () => {
    await using store = makeStoreRoot();
    await sediment(store, ['blobs', 'policy', 'all']);
    await importOther(store);
    await sediment(store, ['blobs', 'policy', 'pinned']);
    await keep(store);
    await sediment(store, ['gc']);
    expect((await list(store)).every(({ pinned }) => pinned)).toBe(true);
    expect(entriesOf(keptLayout(store)).map(({ digest }) => digest)).toEqual([original.digest]);
    await expectFaithful(store);
  });

  it('says what they cost', async () => {
    await using store = makeStoreRoot();
    await keep(store);
    const { keptBlobs } = await sedimentJson<{ keptBlobs: { blobs: number; bytes: number } }>(store, [
      'info',
    ]);
    const files = blobsOf(keptLayout(store)).map((hex) =>
      readFileSync(join(keptLayout(store), 'blobs/sha256', hex)),
    );
    expect(keptBlobs.blobs).toBe(files.length);
    expect(keptBlobs.bytes).toBeGreaterThanOrEqual(files.reduce((sum, { length }) => sum + length, 0));
  });

  it('holds a valid layout at every moment of an import, of several, and after one that was killed', async () => {
    await using store = makeStoreRoot();
    const archive = `oci:${library.at('odd/sixty')}`;
    const kill = new AbortController();
    const imports = [
      startSediment(store, ['import', '--keep-blobs', archive]),
      startSediment(store, ['import', '--keep-blobs', '--name', NAME, `oci:${library.at('oci/gzip')}`]),
      startSediment(store, ['import', '--keep-blobs', '--name', NAME, `oci:${library.at('oci/gzip')}`]),
      startSediment(store, ['import', '--keep-blobs', `oci:${library.at('odd/v2s2')}`], {
        signal: kill.signal,
      }),
      podman(store, ['load', '--quiet', '--input', library.at('docker-archive/podman.tar')]),
    ];
    let running = true;
    const done = Promise.all(imports).finally(() => {
      running = false;
    });
    let looks = 0;
    while (running) {
      if (existsSync(join(keptLayout(store), 'index.json'))) {
        // blobs come before their image is listed, and none may be half there
        const defects = layoutDefects(keptLayout(store)).filter((line) => !line.startsWith('nothing names'));
        expect(defects).toEqual([]);
        looks += 1;
        if (looks === 5) kill.abort();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [sixty, first, second] = await done;
    for (const each of [sixty, first, second]) expect(each?.exitCode, each?.stderr).toBe(0);
    expect(looks).toBeGreaterThan(5);
    await expectFaithful(store);
    expect(readdirSync(join(store.graphRoot, 'sediment/tmp'))).toEqual([]);
  });
});

/** Changes some bytes of a file. */
function damage(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, offset, offset + 64);
  writeFileSync(path, bytes);
}
