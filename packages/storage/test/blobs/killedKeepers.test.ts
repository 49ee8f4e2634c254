import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundledProgram } from '../../../../test/support/bundleProgram.ts';
import { findDebris } from '../../../../test/support/leftovers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { openStore, type Store } from '../../src/index.ts';
import { expectValidLayout } from '../support/checkLayout.ts';
import { type KeptBlobsJob, runKeptBlobsJob } from '../support/keptBlobsChild.ts';
import { digestsOf, type KeepableImage, keepableImage } from '../support/keptImages.ts';
import { bundleCrashChild, findKillPoints, type KillPoint, killAt, noStrace } from '../support/killPoints.ts';
import { noStore } from '../support/tempStore.ts';

const skipped = noStore ?? noStrace;
/** Of the points of each operation. `SEDIMENT_ALL_KILLS=1` takes all points. */
const SAMPLES = 8;

describe.skipIf(skipped !== undefined)(`killed while blobs are kept (${skipped ?? 'root, strace'})`, () => {
  let root: StoreRoot;
  let child: BundledProgram;
  let images: KeepableImage[];

  beforeAll(async () => {
    root = makeStoreRoot();
    child = await bundleCrashChild('keptBlobsChild');
    images = [
      keepableImage(root.path, 'one', ['shared', 'one']),
      keepableImage(root.path, 'two', ['shared', 'two']),
    ];
  });
  afterAll(() => {
    child.remove();
    root.dispose();
  });

  const sediment = () => join(root.graphRoot, 'sediment');
  const jobOf = (does: KeptBlobsJob['does']): KeptBlobsJob => {
    const { graphRoot, runRoot } = root;
    return { does, graphRoot, runRoot, images };
  };
  const open = async (): Promise<Store> => {
    const { graphRoot, runRoot } = root;
    return await openStore({ graphRoot, runRoot, driver: 'overlay', env: { HOME: graphRoot } });
  };

  async function prepare(does: KeptBlobsJob['does']): Promise<void> {
    const store = await open();
    await store.wipe();
    await store.close();
    rmSync(sediment(), { recursive: true, force: true });
    if (does === 'import' || does === 'put') return;
    await runKeptBlobsJob(jobOf('import'));
    if (does === 'rebuild') rmSync(join(sediment(), 'index.sqlite'));
    if (does === 'collect') rmSync(join(root.graphRoot, 'overlay-images', 'images.json'));
  }

  function sample(points: readonly KillPoint[]): KillPoint[] {
    if (process.env.SEDIMENT_ALL_KILLS) return [...points];
    const step = Math.max(1, (points.length - 1) / (SAMPLES - 1));
    return Array.from(
      { length: Math.min(SAMPLES, points.length) },
      (_, i) => points[Math.round(i * step)],
    ).filter((point) => point !== undefined);
  }

  it.each(['import', 'put', 'delete image', 'collect', 'rebuild'] as const)(
    '%s: the layout is valid, and all ends well the next time',
    async (does) => {
      const job = jobOf(does);
      await prepare(does);
      const points = sample(findKillPoints(child.path, job, ['fsync', 'utimensat', 'write', 'pwritev']));
      let killed = 0;
      for (const point of points) {
        const context = `${does}, killed at ${point.call} ${point.when}`;
        await prepare(does);
        if (!killAt(child.path, job, point)) continue;
        killed += 1;
        expectValidLayout(root.graphRoot, context);
        const store = await open();
        await store.blobs.list();
        await store.close();
        if (does !== 'delete image') {
          const warnings = await runKeptBlobsJob(job);
          expect(
            warnings.filter((text) => !text.startsWith('DEBRIS_REMOVED')),
            context,
          ).toEqual([]);
        }
        expectValidLayout(root.graphRoot, context);
        await expectEnd(does, context);
      }
      expect(killed).toBeGreaterThan(0);
    },
    process.env.SEDIMENT_ALL_KILLS ? 7_200_000 : 600_000,
  );

  /** What there should be, and that it goes away as it should. */
  async function expectEnd(does: KeptBlobsJob['does'], context: string): Promise<void> {
    await using store = await open();
    const kept = async () => (await store.blobs.list()).map(({ digest }) => digest);
    if (does === 'import' || does === 'rebuild') {
      expect(await kept(), context).toEqual([...new Set(images.flatMap(digestsOf))].sort());
      for (const blob of await store.blobs.list()) expect(blob.images, context).not.toEqual([]);
      for (const { id } of images)
        expect(await store.blobs.image(id), context).toMatchObject({ complete: true });
    }
    for (const { id } of await store.images.list()) await store.images.delete(id);
    await store.blobs.collect({ graceMs: -1000 });
    expect(await kept(), context).toEqual([]);
    expect(readdirSync(join(sediment(), 'tmp')), context).toEqual([]);
    expect(readdirSync(sediment()).sort(), context).toEqual(['blobs.lock', 'index.sqlite', 'oci', 'tmp']);
    const debris = findDebris(root).filter((path) => !path.startsWith(sediment()));
    expect(debris, context).toEqual([]);
  }
});
