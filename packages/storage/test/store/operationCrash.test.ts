import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundledProgram } from '../../../../test/support/bundleProgram.ts';
import { findDebris } from '../../../../test/support/leftovers.ts';
import { mountsBelow, unmountBelow } from '../../../../test/support/mounts.ts';
import { containersStorage, peersSkipReason } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { type CrashPlace, OPERATIONS, openCrashStore, runOperation } from '../support/crashOperations.ts';
import { bundleCrashChild, findKillPoints, type KillPoint, killAt, noStrace } from '../support/killPoints.ts';
import { noStore, tarOf } from '../support/tempStore.ts';

const skipped = noStore ?? noStrace;
/** Of the points of each operation; each takes about a second. `SEDIMENT_ALL_KILLS=1` takes all points. */
const SAMPLES = 4;
/** These begin with a store that is not sound. */
const BEGIN_UNSOUND = ['collect garbage', 'repair'];
/** Looking for what is left takes mounts away, which these need. */
const MOUNT = ['mount with ids', 'mount an image', 'unmount'];
/** Documents go first, so that a container which cannot be deleted stays one that can. */
const LOSES_DATA_FIRST = ['delete anything', 'wipe', 'repair'];

const WHERE = [
  { driver: 'overlay', split: false },
  { driver: 'vfs', split: false },
  { driver: 'overlay', split: true },
] as const;
/** What is the same for all drivers and stores is tried with one. */
const EVERYWHERE = [
  ...['put a layer', 'put a layer with other owners', 'fill a layer', 'delete a layer', 'create an image'],
  ...['delete an image', 'create a container with ids', 'delete anything', 'wipe', 'collect garbage'],
];

describe.skipIf(skipped !== undefined).each(WHERE)(
  `killed at any system call, $driver, split: $split (${skipped ?? 'root, strace'})`,
  ({ driver, split }) => {
    const everywhere = driver === 'overlay' && !split;
    let root: StoreRoot;
    let child: BundledProgram;

    beforeAll(async () => {
      root = makeStoreRoot({ driver });
      if (split) root = { ...root, imageStore: join(root.path, 'image-store') };
      child = await bundleCrashChild('crashOperations');
      const tree = join(root.path, 'tree');
      for (const name of ['etc', 'usr/lib']) mkdirSync(join(tree, name), { recursive: true });
      for (const name of ['etc/passwd', 'usr/lib/one', 'usr/lib/two']) writeFileSync(join(tree, name), name);
      execFileSync('mv', [tarOf(tree), join(root.path, 'layer.tar')]);
    });
    afterAll(() => {
      child.remove();
      root.dispose();
    });

    const placeFor = (operation: string): CrashPlace => {
      const { graphRoot, runRoot, imageStore, path } = root;
      return {
        ...{ operation, driver, graphRoot, runRoot, directory: path },
        ...(imageStore === undefined ? {} : { imageStore }),
      };
    };

    async function prepare(place: CrashPlace): Promise<void> {
      await using store = await openCrashStore(place);
      await store.wipe();
      await OPERATIONS[place.operation]?.prepare(store, place);
    }

    async function isDone(place: CrashPlace): Promise<boolean> {
      await using store = await openCrashStore(place);
      return (await OPERATIONS[place.operation]?.isDone(store)) === true;
    }

    async function expectSound(
      place: CrashPlace,
      context: string,
      { found = true, done = false } = {},
    ): Promise<void> {
      const store = await openCrashStore(place);
      try {
        if (found) {
          const { layers, images, containers } = await store.check({ quick: true });
          const findings = [...layers, ...images, ...containers].flatMap((object) => object.findings);
          const mayLose = LOSES_DATA_FIRST.includes(place.operation);
          const bad = findings.filter(({ kind }) => kind !== 'container-data-missing' || !mayLose);
          expect(bad, context).toEqual([]);
        }
        for (const { layer } of await store.mounts()) await store.unmount(layer, { force: true });
        // A mount that nobody has counted is taken away by the next unmount.
        for (const { id } of await store.containers.list()) {
          await store
            .unmount(id)
            .catch((error: { code: string }) => expect(error.code).toBe('LAYER_NOT_MOUNTED'));
        }
        for (const { id, layer } of await store.images.list()) {
          if (layer === undefined) continue;
          await store
            .unmountImage(id)
            .catch((error: { code: string }) => expect(error.code).toBe('LAYER_NOT_MOUNTED'));
        }
      } finally {
        await store.close();
      }
      // A document that was not finished goes when the next one is written there.
      const debris = findDebris(root).filter((path) => done || !/\/[0-9a-f]{64}\/\.tmp-/.test(path));
      if (found) expect(debris, context).toEqual([]);
      expect(mountsBelow(root.path), context).toEqual([]);
    }

    /** The Go program reads the store; it leaves its mount of the driver home, which is none of our debris. */
    async function goReads(): Promise<void> {
      for (const kind of ['layers', 'images', 'containers']) await containersStorage(root, [kind, '--json']);
      unmountBelow(root.path);
    }

    function sample(points: readonly KillPoint[]): KillPoint[] {
      if (process.env.SEDIMENT_ALL_KILLS) return [...points];
      const samples = everywhere ? SAMPLES : SAMPLES - 1;
      const step = Math.max(1, (points.length - 1) / (samples - 1));
      const chosen = Array.from(
        { length: Math.min(samples, points.length) },
        (_, i) => points[Math.round(i * step)],
      );
      return chosen.filter((point) => point !== undefined);
    }

    const operations = Object.keys(OPERATIONS).filter((name) => everywhere || EVERYWHERE.includes(name));
    it.each(operations)(
      '%s: the store stays sound, nothing is left, and it succeeds again',
      async (operation) => {
        const place = placeFor(operation);
        await prepare(place);
        const points = sample(findKillPoints(child.path, place));
        const sound = { found: !BEGIN_UNSOUND.includes(operation) };
        let killed = 0;
        for (const [i, point] of points.entries()) {
          const context = `${operation}, killed at ${point.call} ${point.when}`;
          await prepare(place);
          if (!killAt(child.path, place, point)) continue;
          killed += 1;
          const asksGo =
            i % 2 === 1 && peersSkipReason === undefined && !split && !operation.includes('mount');
          if (asksGo) await goReads();
          const again = !(await isDone(place));
          if (again && !MOUNT.includes(operation)) await expectSound(place, context, sound);
          if (again) await runOperation(place);
          if (!['copy', 'shut down'].includes(operation)) expect(await isDone(place), context).toBe(true);
          await expectSound(place, `${context}, then done again`, { done: again });
          if (asksGo) await goReads();
        }
        expect(killed).toBeGreaterThan(0);
      },
      600_000,
    );
  },
);
