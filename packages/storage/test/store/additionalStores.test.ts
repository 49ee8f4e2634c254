import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addImage } from '../support/imageOf.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined)(`additional image stores (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  let shared: string;
  beforeEach(() => {
    roots = new TempRoots();
    shared = join(roots.directory, 'shared');
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('are those of generic options and of options for the driver in use, in their order', async () => {
    const stores = ['one', 'two', 'three'].map((name) => join(roots.directory, name));
    for (const path of stores) mkdirSync(path);
    const [one, two, three] = stores;
    const driverOptions = [
      `imagestore=${one},${two}`,
      'vfs.imagestore=/nowhere',
      `overlay.imagestore=${three}`,
    ];
    const store = await roots.open({ driverOptions });
    expect((await store.info()).additionalImageStores).toEqual(stores);
    expect(await store.images.list()).toEqual([]);
    expect(stores.flatMap((path) => readdirSync(path))).toEqual([]);
  });

  it.each([
    ['relative', 'not absolute'],
    ['/nowhere/at/all', 'does not exist'],
    ['/dev/null', 'must be a directory'],
  ])('are refused for the path %s', async (path, reason) => {
    await expect(roots.open({ driverOptions: [`imagestore=${path}`] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(reason),
    });
  });

  it('do without the store itself, which is a warning', async () => {
    mkdirSync(roots.graphRoot);
    const store = await roots.open({ driverOptions: [`imagestore=${roots.graphRoot}/.`] });
    expect((await store.info()).additionalImageStores).toEqual([]);
    expect(roots.warnings).toMatchObject([{ code: 'IMAGE_STORE_SKIPPED', path: roots.graphRoot }]);
    await addImage(store, roots.directory, 'app');
    expect(await store.images.list()).toHaveLength(1);
  });

  it('may be open as stores of the same process, and are seen to change', async () => {
    const filler = await roots.open({ graphRoot: shared, runRoot: `${roots.runRoot}2` });
    const store = await roots.open({ driverOptions: [`imagestore=${shared}`] });
    const image = await addImage(filler, roots.directory, 'app');
    expect(await store.images.list()).toMatchObject([{ id: image.id, readOnly: true }]);
    expect((await store.layers.list()).map(({ readOnly }) => readOnly)).toEqual([true, true]);
    await filler.images.addNames(image.id, ['localhost/second:1']);
    expect((await store.images.get('localhost/second:1')).id).toBe(image.id);
    await expect(store.images.delete(image.id)).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN' });
    await expect(store.layers.delete(image.layer ?? '')).rejects.toMatchObject({ code: 'LAYER_UNKNOWN' });
    await store.wipe();
    expect(await store.collectGarbage()).toEqual({
      containers: [],
      images: [],
      layers: [],
      blobs: [],
      blobBytes: 0,
    });
    expect(await filler.images.list()).toHaveLength(1);
  });

  it('are read without locks in a snapshot', async () => {
    const filler = await roots.open({ graphRoot: shared, runRoot: `${roots.runRoot}2` });
    await addImage(filler, roots.directory, 'app');
    await (await roots.open()).close();
    await filler.close();
    for (const kind of ['layers', 'images']) rmSync(join(shared, `overlay-${kind}/${kind}.lock`));
    const snapshot = await roots.open({ driverOptions: [`imagestore=${shared}`], access: 'snapshot' });
    expect(await snapshot.images.list()).toHaveLength(1);
    expect(readdirSync(join(shared, 'overlay-images'))).not.toContain('images.lock');
  });

  it('that are damaged are an error which names the file', async () => {
    mkdirSync(join(shared, 'overlay-images'), { recursive: true });
    writeFileSync(join(shared, 'overlay-images/images.json'), '[{"id":1}]');
    await expect(roots.open({ driverOptions: [`imagestore=${shared}`] })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      facts: { path: join(shared, 'overlay-images/images.json') },
    });
  });
});
