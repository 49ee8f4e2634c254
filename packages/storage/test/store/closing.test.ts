import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layerOf, treeHash } from '../support/chains.ts';
import { holdLock } from '../support/holdLock.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const IMAGE = 'ab'.repeat(32);

describe.skipIf(noStore !== undefined)(`closing a store (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;

  beforeEach(() => {
    roots = new TempRoots();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('aborts an import, which still cleans up before the store is closed', async () => {
    const store = await roots.open();
    const chain = [layerOf(roots.directory, 'base', { big: 'x'.repeat(20_000_000) }, { gzip: true })];
    let started = (): void => undefined;
    const unpacking = new Promise<void>((resolve) => {
      started = resolve;
    });
    const adding = store.layers.addChain(chain, { onProgress: () => started() });
    const failed = expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
    await unpacking;
    await store.close();
    expect(existsSync(join(roots.graphRoot, 'overlay/tempdirs'))).toBe(false);
    expect(existsSync(join(roots.graphRoot, 'overlay-layers/tmp'))).toBe(false);
    await failed;
    expect(roots.warnings).toEqual([]);
  });

  it('waits for an operation that waits for a lock, and lets it finish', async () => {
    const store = await roots.open();
    const { release, held } = await holdLock(join(roots.graphRoot, 'overlay-images/images.lock'), 'images');
    const putting = store.images.put({ id: IMAGE, names: [], bigData: [] });
    const closing = store.close();
    await expect(store.images.put({ id: IMAGE, names: [], bigData: [] })).rejects.toMatchObject({
      code: 'STORE_CLOSED',
    });
    release();
    await Promise.all([held, closing]);
    expect((await putting).created).toBe(true);
    await expect(store.images.list()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('a snapshot refuses what would write, before it writes anything', async () => {
    const store = await roots.open();
    await store.images.put({ id: IMAGE, names: [], bigData: [] });
    const box = await store.containers.create({ image: IMAGE });
    await store.close();
    const snapshot = await roots.open({ access: 'snapshot' });
    const chain = [layerOf(roots.directory, 'base', { a: '1' })];
    const before = [roots.graphRoot, roots.runRoot].map(treeHash);
    const refused = { code: 'STORE_READ_ONLY' };
    await expect(snapshot.layers.addChain(chain)).rejects.toMatchObject(refused);
    await expect(snapshot.mount(box.id)).rejects.toMatchObject(refused);
    await expect(snapshot.unmount(box.id)).rejects.toMatchObject(refused);
    await expect(snapshot.images.delete(IMAGE)).rejects.toMatchObject(refused);
    await snapshot.close();
    expect([roots.graphRoot, roots.runRoot].map(treeHash)).toEqual(before);
  });
});
