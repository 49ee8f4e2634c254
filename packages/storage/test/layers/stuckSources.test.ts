import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

/** Far less than waiting to the end would take, and enough for a busy host. */
const AT_ONCE_MS = 5000;
const MAP = [{ containerId: 0, hostId: 0, size: 1000 }];

/** Streams that come slowly, not at all, or only by way of the store itself. */
describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `slow sources of layers of %s (${noStore ?? 'as root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;
    let archive: Buffer;

    beforeEach(async () => {
      roots = new TempRoots();
      process.env._CONTAINERS_OVERLAY_DISABLE_IDMAP = 'yes';
      store = await roots.open({ driver });
      archive = readFileSync(layerOf(roots.directory, 'tree', { file: 'x' }).blob.path);
      await store.layers.create({ id: 'layer' });
    });
    afterEach(async () => {
      delete process.env._CONTAINERS_OVERLAY_DISABLE_IDMAP;
      await roots.cleanup();
    });

    /** Gives its first bytes, and then waits for `going`. */
    async function* slow(going: Promise<unknown>): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 100);
      await going;
      yield archive.subarray(100);
    }
    const never = () => slow(new Promise(() => undefined));
    const fill = {
      'put a layer': (diff: AsyncIterable<Uint8Array>, signal?: AbortSignal) =>
        store.layers.put({ diff, ...(signal === undefined ? {} : { signal }) }),
      'put a layer with other owners': (diff: AsyncIterable<Uint8Array>, signal?: AbortSignal) =>
        store.layers.put({ diff, uidMap: MAP, gidMap: MAP, ...(signal === undefined ? {} : { signal }) }),
      'fill a layer': (diff: AsyncIterable<Uint8Array>, signal?: AbortSignal) =>
        store.layers.applyDiff('layer', diff, signal === undefined ? {} : { signal }),
    };
    const expectClean = async () => {
      expect(existsSync(join(roots.graphRoot, driver, 'tempdirs'))).toBe(false);
      expect(existsSync(join(roots.graphRoot, `${driver}-layers/tmp`))).toBe(false);
      expect(roots.warnings).toEqual([]);
    };

    it.each(Object.entries(fill))('%s: others go on meanwhile', async (_, run) => {
      let go = (): void => undefined;
      const filling = run(slow(new Promise<void>((resolve) => (go = resolve))));
      await store.layers.create({ id: 'other' });
      await store.layers.delete('other');
      go();
      await filling;
      await expectClean();
    });

    it.each(Object.entries(fill))('%s: the source may use the store', async (_, run) => {
      async function* source() {
        yield archive.subarray(0, 100);
        await store.layers.create({ id: 'other' });
        yield archive.subarray(100);
      }
      await run(source());
      expect((await store.layers.get('other')).id).toBe('other');
    });

    it.each(Object.entries(fill))('%s: is aborted at once', async (_, run) => {
      const stop = new AbortController();
      const began = performance.now();
      setTimeout(() => stop.abort(), 50);
      await expect(run(never(), stop.signal)).rejects.toMatchObject({ code: 'ABORTED' });
      expect(performance.now() - began).toBeLessThan(AT_ONCE_MS + 50);
      expect((await store.layers.list()).map(({ id }) => id)).toEqual(['layer']);
      await expectClean();
    });

    it.each(Object.entries(fill))('%s: ends when the store is closed', async (_, run) => {
      const failed = expect(run(never())).rejects.toMatchObject({ code: 'ABORTED' });
      await new Promise((resolve) => setTimeout(resolve, 100));
      await store.close();
      await failed;
      await expectClean();
    });

    it.each(Object.entries(fill))('%s: an error of the source comes through', async (_, run) => {
      const source = Readable.from(
        (async function* () {
          yield archive.subarray(0, 100);
          throw new Error('no more');
        })(),
      );
      await expect(run(source)).rejects.toThrow('no more');
      await expectClean();
    });
  },
);
