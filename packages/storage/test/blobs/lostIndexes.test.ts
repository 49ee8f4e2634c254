import {
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Digest } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobInfo, Store } from '../../src/index.ts';
import {
  digestsOf,
  indexOf,
  type KeepableImage,
  keep,
  keepableImage,
  putLayers,
} from '../support/keptImages.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const Database = createRequire(import.meta.url)('better-sqlite3') as typeof import('better-sqlite3');

describe.skipIf(noStore)('lost and damaged lists of kept blobs', () => {
  let roots: TempRoots;
  let store: Store;
  let app: KeepableImage;
  let before: readonly BlobInfo[];

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
    app = keepableImage(roots.directory, 'app');
    await store.layers.addChain(app.chain, { keepBlobs: true });
    await keep(store, app, { annotations: { note: 'x' } });
    before = await store.blobs.list();
    expect(before[0]).toHaveProperty('lastUsed');
    await store.close();
  });
  afterEach(async () => await roots.cleanup());

  const place = (...parts: string[]) => join(roots.graphRoot, 'sediment', ...parts);
  const reopen = async () => {
    store = await roots.open();
  };
  const codes = () => roots.warnings.map(({ code }) => code);
  /** Times come from the files. */
  const facts = (blobs: readonly BlobInfo[]) => blobs.map(({ created, lastUsed, ...rest }) => rest);
  const expectRebuilt = async () => {
    expect(facts(await store.blobs.list())).toEqual(facts(before));
    expect(codes()).toEqual(['KEPT_INDEX_REBUILT']);
    await store.blobs.exported(app.id);
    expect((await store.blobs.collect({ graceMs: -1000 })).blobs).toEqual([]);
    await store.images.delete(app.id);
    expect(await store.blobs.list()).toEqual([]);
    expect(codes()).toEqual(['KEPT_INDEX_REBUILT']);
  };

  it('a lost index is made from the layout', async () => {
    rmSync(place('index.sqlite'));
    await reopen();
    await expectRebuilt();
  });

  const damages: [string, (path: string) => void][] = [
    ['cut off', (path) => truncateSync(path, 5000)],
    [
      'overwritten',
      (path) => writeFileSync(path, 'no database at all, and long enough to be looked at'.repeat(200)),
    ],
    ['damaged in a page', (path) => writeSync(openSync(path, 'r+'), Buffer.alloc(4096, 0xee), 0, 4096, 4096)],
    [
      'damaged in its last page',
      (path) =>
        writeSync(openSync(path, 'r+'), Buffer.alloc(4096, 0xee), 0, 4096, statSync(path).size - 4096),
    ],
  ];
  it.each(damages)('an index that is %s is moved aside and made from the layout', async (_, damage) => {
    damage(place('index.sqlite'));
    const damaged = readFileSync(place('index.sqlite'));
    await reopen();
    await expectRebuilt();
    expect(readFileSync(place('index.sqlite.damaged')).equals(damaged)).toBe(true);
  });

  it('an empty index is filled', async () => {
    truncateSync(place('index.sqlite'), 0);
    await reopen();
    await expectRebuilt();
  });

  it('an index that is damaged while it is open is made anew, too', async () => {
    await reopen();
    await store.blobs.list();
    const fd = openSync(place('index.sqlite'), 'r+');
    for (let page = 1; page < statSync(place('index.sqlite')).size / 4096; page++) {
      writeSync(fd, Buffer.alloc(4096, 0xee), 0, 4096, page * 4096);
    }
    // Another program's write makes SQLite read the pages again.
    const header = Buffer.alloc(4);
    header.writeUInt32BE(readFileSync(place('index.sqlite')).readUInt32BE(24) + 1);
    writeSync(fd, header, 0, 4, 24);
    await expectRebuilt();
  });

  it('an index that another process has made anew is used at once', async () => {
    await reopen();
    await store.blobs.list();
    rmSync(place('index.sqlite'));
    const other = await roots.open();
    await other.blobs.list();
    expect(codes()).toEqual(['KEPT_INDEX_REBUILT']);
    await expectRebuilt();
  });

  it('an index of a newer program is left alone', async () => {
    const db = new Database(place('index.sqlite'));
    db.pragma('user_version = 99');
    db.close();
    await reopen();
    await expect(store.blobs.list()).rejects.toMatchObject({
      code: 'KEPT_INDEX_INVALID',
      facts: { actual: 99 },
    });
    // What needs no index goes on.
    expect(await store.blobs.image(app.id)).toMatchObject({ complete: true });
    await store.images.delete(app.id);
    expect(codes()).toEqual(['KEPT_BLOBS_STALE']);
    expect(existsSync(place('index.sqlite.damaged'))).toBe(false);
  });

  it('pins of blobs outlive the index', async () => {
    await reopen();
    const digest = app.request.layers[0]?.digest as Digest;
    await store.blobs.pin(digest);
    await store.close();
    rmSync(place('index.sqlite'));
    await reopen();
    await store.images.delete(app.id);
    expect((await store.blobs.list()).map((blob) => blob.digest)).toEqual([digest]);
  });

  it.each([
    ['lost', (path: string) => rmSync(path)],
    ['damaged', (path: string) => writeFileSync(path, '{"manifests":[{"digest":"sha256:../../etc"}]}')],
    ['no JSON', (path: string) => writeFileSync(path, '{"manifests"')],
  ])('an index.json that is %s is made from the store', async (how, damage) => {
    damage(place('oci', 'index.json'));
    await reopen();
    const snapshot = await roots.open({ access: 'snapshot' });
    await expect(snapshot.blobs.images()).rejects.toMatchObject({ code: 'KEPT_INDEX_INVALID' });
    expect(codes()).toEqual([]);
    expect(await store.blobs.images()).toHaveLength(1);
    await store.collectGarbage();
    expect(codes()).toEqual(['KEPT_INDEX_REBUILT']);
    expect(await store.blobs.image(app.id)).toMatchObject({
      names: [app.name],
      manifest: { digest: app.request.manifest.digest },
      complete: true,
      // Nothing else knows them.
      annotations: {},
    });
    expect(facts(await store.blobs.list())).toEqual(facts(before));
    expect(existsSync(place('index.json.damaged'))).toBe(how !== 'lost');
  });

  it('both lists are made anew, with an index of all platforms', async () => {
    await reopen();
    const arm = keepableImage(roots.directory, 'arm');
    const index = indexOf(app.request.manifest, arm.request.manifest);
    await putLayers(store, arm);
    const { config } = arm.request;
    await store.blobs.put(
      (async function* () {
        yield config.bytes;
      })(),
    );
    await store.images.setBigData(app.id, `manifest-${index.digest}`, index.bytes);
    await store.blobs.keepImage({ ...app.request, index, instances: [arm.request.manifest] });
    const listed = await store.blobs.list();
    await store.close();
    rmSync(place('index.sqlite'));
    rmSync(place('oci', 'index.json'));
    rmSync(place('oci', 'oci-layout'));
    await reopen();
    expect(facts(await store.blobs.list())).toEqual(facts(listed));
    expect(codes()).toEqual(['KEPT_INDEX_REBUILT', 'KEPT_INDEX_REBUILT']);
    expect(await store.blobs.image(app.id)).toMatchObject({
      allPlatforms: true,
      index: { digest: index.digest },
    });
    expect(existsSync(place('oci', 'oci-layout'))).toBe(true);
    await store.images.delete(app.id);
    expect(await store.blobs.list()).toEqual([]);
  });

  it('what a crash left between the lists is settled by the next collection', async () => {
    const path = place('oci', 'index.json');
    const full = readFileSync(path);
    // An image that has owners, but is not listed.
    writeFileSync(path, '{"schemaVersion":2,"manifests":[]}');
    await reopen();
    expect((await store.blobs.collect({ graceMs: -1000 })).blobs.toSorted()).toEqual(digestsOf(app));
    await store.close();
    // One that is listed, but has no owners.
    await reopen();
    await putLayers(store, app);
    await keep(store, app);
    copyFileSync(place('index.sqlite'), place('old.sqlite'));
    const db = new Database(place('index.sqlite'));
    db.exec('PRAGMA foreign_keys = ON; DELETE FROM images');
    db.close();
    expect(full.length).toBeGreaterThan(100);
    expect((await store.blobs.collect({ graceMs: -1000 })).blobs).toEqual([]);
    expect((await store.blobs.list())[0]?.images).toEqual([app.id]);
  });
});
