import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LayerDiff, Store } from '../../src/index.ts';
import { holdLock } from '../support/holdLock.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const FILES = 30;
const BYTES = 100_000;

/** Diffs whose reader takes a rest, forgets about them, or does something else with the store meanwhile. */
describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'])(
  `open diffs of layers of %s (${noStore ?? 'as root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;
    let layersLock: string;

    beforeEach(async () => {
      roots = new TempRoots();
      store = await roots.open({ driver });
      layersLock = join(roots.graphRoot, `${driver}-layers/layers.lock`);
      await store.layers.create({ id: 'full' });
      const root = await store.mount('full');
      for (let i = 0; i < FILES; i++) writeFileSync(join(root, `file-${i}`), Buffer.alloc(BYTES, i));
      await store.unmount('full');
    });
    afterEach(() => roots.cleanup());

    const begin = async (diff: LayerDiff): Promise<AsyncIterator<Uint8Array>> => {
      const iterator = diff[Symbol.asyncIterator]();
      expect((await iterator.next()).done).toBe(false);
      return iterator;
    };
    const readOn = async (iterator: AsyncIterator<Uint8Array>): Promise<number> => {
      let bytes = 0;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        bytes += next.value.length;
      }
      return bytes;
    };

    it.each(['none', 'gzip'] as const)('lets its reader change the store (%s)', async (compression) => {
      const iterator = (await store.layers.diff('full', { compression }))[Symbol.asyncIterator]();
      const { value: first } = await iterator.next();
      await store.layers.create({ id: 'other' });
      expect((await store.layers.list()).length).toBe(2);
      await store.layers.delete('other');
      const bytes = first.length + (await readOn(iterator));
      expect(bytes).toBeGreaterThan(compression === 'none' ? FILES * BYTES : 100);
    });

    it('tells its reader when the layer went away', async () => {
      const iterator = await begin(await store.layers.diff('full', { compression: 'none' }));
      await store.layers.delete('full');
      await expect(readOn(iterator)).rejects.toMatchObject({ code: 'LAYER_UNKNOWN' });
    });

    it('does not go on with another layer that got the id', async () => {
      const iterator = await begin(await store.layers.diff('full', { compression: 'none' }));
      await store.layers.delete('full');
      await store.layers.create({ id: 'full' });
      await expect(readOn(iterator)).rejects.toMatchObject({ code: 'LAYER_UNKNOWN' });
    });

    it('keeps nobody waiting once it was forgotten, and does not outlive the store', async () => {
      const unread = await store.layers.diff('full', { compression: 'none' });
      const begun = await begin(await store.layers.diff('full', { compression: 'none' }));
      const other = await roots.open({ driver });
      await other.layers.delete('full');
      await store.close();
      await expect(begin(unread)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await expect(readOn(begun)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    });

    it('can be put into the same store', async () => {
      const diff = await store.layers.diff('full', { compression: 'none' });
      const { layer } = await store.layers.put({ id: 'copy', diff });
      expect(await store.layers.diffSize(layer.id)).toBe(FILES * BYTES);
    });

    it('can be applied to a layer of the same store', async () => {
      await store.layers.create({ id: 'copy' });
      const diff = await store.layers.diff('full', { compression: 'none' });
      await store.layers.applyDiff('copy', diff);
      expect(await store.layers.diffSize('copy')).toBe(FILES * BYTES);
    });

    it('stops waiting for the lock when it is aborted', async () => {
      const { release, held } = await holdLock(layersLock, 'layers');
      const signal = AbortSignal.timeout(50);
      await expect(store.layers.diff('full', { signal })).rejects.toMatchObject({ code: 'ABORTED' });
      release();
      await held;
    });
  },
);
