import { spawn } from 'node:child_process';
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundledProgram, bundleProgram } from '../../../../test/support/bundleProgram.ts';
import { findDebris } from '../../../../test/support/leftovers.ts';
import { mountsBelow, unmountBelow } from '../../../../test/support/mounts.ts';
import { containersStorage, peersSkipReason } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { openStore, type Store } from '../../src/index.ts';
import type { HammerJob } from '../support/hammerStore.ts';
import { noStore, tarOf } from '../support/tempStore.ts';

const MILLISECONDS = Number(process.env.SEDIMENT_HAMMER_MS ?? 4000);
const WORKERS = [1, 2];

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `several programs at once on a store of %s (${noStore ?? 'root'})`,
  (driver) => {
    let root: StoreRoot;
    let program: BundledProgram;

    beforeAll(async () => {
      root = makeStoreRoot({ driver });
      program = await bundleProgram(fileURLToPath(new URL('../support/hammerStore.ts', import.meta.url)));
    });
    afterAll(() => {
      program.remove();
      root.dispose();
    });

    const open = async (): Promise<Store> => {
      const { graphRoot, runRoot, path } = root;
      return await openStore({ graphRoot, runRoot, driver, env: { HOME: path } });
    };

    const prepare = async (): Promise<Pick<HammerJob, 'image' | 'shared'>> => {
      await using store = await open();
      const tree = join(root.path, 'tree');
      mkdirSync(tree);
      writeFileSync(join(tree, 'file'), 'content');
      const { layer } = await store.layers.put({
        readWrite: false,
        diff: createReadStream(tarOf(tree)),
      });
      const image = await store.images.create({ layer: layer.id, names: ['localhost/base:1'] });
      const box = await store.containers.create({ image: image.id, names: ['shared'] });
      return { image: image.id, shared: box.id };
    };

    const work = async (job: HammerJob): Promise<{ done: Record<string, number>; problems: string[] }> => {
      const child = spawn(process.execPath, [program.path, JSON.stringify(job)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      let err = '';
      child.stdout.on('data', (text) => {
        out += text;
      });
      child.stderr.on('data', (text) => {
        err += text;
      });
      const status = await new Promise((resolve) => child.on('close', resolve));
      expect({ status, err }).toEqual({ status: 0, err: '' });
      return JSON.parse(out);
    };

    /** Does with the Go program what the others do. */
    const goWork = async (image: string, shared: string): Promise<void> => {
      for (const end = performance.now() + MILLISECONDS; performance.now() < end; ) {
        const { stdout } = await containersStorage(root, ['create-container', '--json', image]);
        const { id } = JSON.parse(stdout) as { id: string };
        await containersStorage(root, ['mount', id]);
        await containersStorage(root, ['mount', shared]);
        await containersStorage(root, ['unmount', shared]);
        await containersStorage(root, ['unmount', id]);
        await containersStorage(root, ['delete-container', id]);
        await containersStorage(root, ['layers', '--json']);
      }
    };

    it('loses and doubles nothing, and nobody waits for ever', { timeout: 120_000 }, async () => {
      const common = await prepare();
      const { graphRoot, runRoot, path } = root;
      const jobs = WORKERS.map((worker) =>
        work({ ...common, graphRoot, runRoot, driver, home: path, worker, milliseconds: MILLISECONDS }),
      );
      const go = peersSkipReason === undefined ? goWork(common.image, common.shared) : undefined;
      const results = await Promise.all(jobs);
      await go;
      if (process.env.SEDIMENT_HAMMER_MS) console.log(JSON.stringify(results.map(({ done }) => done)));
      expect(results.flatMap(({ problems }) => problems)).toEqual([]);
      await using store = await open();
      const { layers, images, containers } = await store.check({ quick: true });
      expect([...layers, ...images, ...containers]).toEqual([]);
      expect((await store.images.list()).map(({ id }) => id)).toEqual([common.image]);
      expect((await store.containers.list()).map(({ id }) => id)).toEqual([common.shared]);
      expect(await store.mounted(common.shared)).toBe(0);
      const names = (await store.layers.list()).flatMap((layer) => layer.names);
      expect(new Set(names).size).toBe(names.length);
      expect(findDebris(root)).toEqual([]);
      unmountBelow(join(graphRoot, 'overlay'));
      const mounts = mountsBelow(root.path).map(({ mountPoint }) => mountPoint);
      expect(mounts.filter((point) => point !== join(graphRoot, 'overlay'))).toEqual([]);
    });
  },
);
