import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { addImage } from '../support/imageOf.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined)(`a transient store (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  let store: Store;
  const records = (path: string): Array<{ id: string }> => {
    const file = join(roots.directory, path);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  };

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open({ transientStore: true });
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('keeps records and lock of containers in the run root, and images where they always are', async () => {
    const image = await addImage(store, roots.directory, 'app');
    const box = await store.containers.create({ image: image.id, names: ['box'] });
    expect(records('run/overlay-containers/volatile-containers.json')).toMatchObject([
      { id: box.id, flags: { Volatile: true } },
    ]);
    expect(records('run/overlay-layers/volatile-layers.json')).toMatchObject([{ id: box.layer }]);
    expect(existsSync(join(roots.runRoot, 'overlay-containers/containers.lock'))).toBe(true);
    for (const file of [
      'overlay-containers/containers.json',
      'overlay-containers/volatile-containers.json',
    ]) {
      expect(existsSync(join(roots.graphRoot, file)), file).toBe(false);
    }
    expect(records('graph/overlay-images/images.json')).toHaveLength(1);
    expect(records('graph/overlay-layers/layers.json')).toHaveLength(2);
    expect(existsSync(join(roots.graphRoot, 'overlay-layers/volatile-layers.json'))).toBe(false);
    const other = await roots.open({ transientStore: true });
    expect(existsSync(join(await other.mount('box'), 'etc/top'))).toBe(true);
    await other.unmount('box');
    await other.containers.delete('box');
    expect(records('run/overlay-containers/volatile-containers.json')).toEqual([]);
    expect(records('run/overlay-layers/volatile-layers.json')).toEqual([]);
    expect(await store.containers.list()).toEqual([]);
  });

  it('has forgotten its containers after a restart, and garbage collection takes what is left of them', async () => {
    const image = await addImage(store, roots.directory, 'app');
    const box = await store.containers.create({ image: image.id });
    mkdirSync(join(roots.graphRoot, `overlay-containers/${box.id}/userdata`), { recursive: true });
    await store.close();
    rmSync(roots.runRoot, { recursive: true });
    store = await roots.open({ transientStore: true });
    expect(await store.containers.list()).toEqual([]);
    expect(await store.collectGarbage()).toMatchObject({ containers: [box.id], layers: [box.layer] });
    expect((await store.layers.list()).map(({ id }) => id)).toHaveLength(2);
    await store.containers.create({ image: image.id });
  });

  it('shares its graph root with an ordinary store; neither takes the other for garbage', async () => {
    const ordinary = await roots.open();
    const image = await addImage(store, roots.directory, 'app');
    const boxes = [
      await store.containers.create({ image: image.id }),
      await ordinary.containers.create({ image: image.id }),
      await ordinary.containers.create({ image: image.id, volatile: true }),
    ];
    for (const { id } of boxes) {
      mkdirSync(join(roots.graphRoot, `overlay-containers/${id}/userdata`), { recursive: true });
    }
    const ids = boxes.map(({ id }) => id) as [string, string, string];
    expect((await store.containers.list()).map(({ id }) => id)).toEqual([ids[1], ids[0]]);
    expect((await ordinary.containers.list()).map(({ id }) => id)).toEqual([ids[1], ids[2]]);
    for (const each of [store, ordinary]) {
      expect(await each.collectGarbage()).toEqual({
        containers: [],
        images: [],
        layers: [],
        blobs: [],
        blobBytes: 0,
      });
    }
    for (const id of ids) expect(existsSync(join(roots.graphRoot, 'overlay-containers', id))).toBe(true);
  });

  it('is what storage.conf asks for, unless the caller says otherwise', async () => {
    const configFile = join(roots.directory, 'transient.conf');
    writeFileSync(configFile, '[storage]\ntransient_store = true\n');
    expect(await (await roots.open({ configFile })).info()).toMatchObject({ transientStore: true });
    const ordinary = await roots.open({ configFile, transientStore: false });
    expect(await ordinary.info()).toMatchObject({ transientStore: false });
  });
});
