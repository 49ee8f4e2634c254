import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundledProgram } from '../../../../test/support/bundleProgram.ts';
import { findDebris } from '../../../../test/support/leftovers.ts';
import { mountsBelow, unmountBelow } from '../../../../test/support/mounts.ts';
import { peersSkipReason, podman } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { type ChainLayer, openStore, type Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { CONTAINER, type CrashJob, runCrashJob } from '../support/crashChild.ts';
import { bundleCrashChild, findKillPoints, type KillPoint, killAt, noStrace } from '../support/killPoints.ts';
import { noStore } from '../support/tempStore.ts';

const skipped = noStore ?? noStrace;
/** Of the points of each operation; each takes about a second. `SEDIMENT_ALL_KILLS=1` takes all points. */
const SAMPLES = 8;
const OCI = 'application/vnd.oci.image';

/** A config and a manifest that podman takes for those of an image. */
function documentsOf(chain: readonly ChainLayer[]): { config: Buffer; manifest: Buffer } {
  const diff_ids = chain.map(({ diffID }) => diffID);
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids } }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: { mediaType: `${OCI}.config.v1+json`, digest: digestOf(config), size: config.length },
      layers: chain.map(({ digest, size }) => ({ mediaType: `${OCI}.layer.v1.tar`, digest, size })),
    }),
  );
  return { config, manifest };
}

describe.skipIf(skipped !== undefined)(`killed at any system call (${skipped ?? 'root, strace'})`, () => {
  let root: StoreRoot;
  let child: BundledProgram;
  let job: CrashJob;

  beforeAll(async () => {
    root = makeStoreRoot();
    child = await bundleCrashChild();
    const chain = [
      layerOf(root.path, 'base', { 'etc/a': 'one', 'usr/': '' }, { gzip: true }),
      layerOf(root.path, 'top', { 'etc/a': 'two' }),
    ];
    await using store = await open();
    const layers = await store.layers.addChain(chain);
    const { config, manifest } = documentsOf(chain);
    job = {
      graphRoot: root.graphRoot,
      runRoot: root.runRoot,
      operation: 'import',
      chain,
      image: {
        id: digestOf(config).slice(7),
        layer: layers.at(-1)?.id ?? '',
        names: ['localhost/crash:1'],
        digest: digestOf(manifest),
        bigData: [
          { name: digestOf(config), bytes: config },
          { name: `manifest-${digestOf(manifest)}`, bytes: manifest },
          { name: 'manifest', bytes: manifest },
        ],
      },
    };
  });
  afterAll(() => {
    child.remove();
    root.dispose();
  });

  async function open(): Promise<Store> {
    const { graphRoot, runRoot, path } = root;
    return await openStore({
      graphRoot,
      runRoot,
      driver: 'overlay',
      env: { HOME: path },
      onWarning: () => undefined,
    });
  }

  /** Brings the store into the state in which an operation begins. */
  async function prepare(operation: CrashJob['operation']): Promise<void> {
    await using store = await open();
    for (const { id } of await store.containers.list()) await store.containers.delete(id);
    for (const { id } of await store.images.list()) await store.images.delete(id);
    for (const { id } of (await store.layers.list()).toReversed()) await store.layers.delete(id);
    if (operation === 'import') return;
    await store.layers.addChain(job.chain);
    await store.images.put(job.image);
    if (operation === 'delete container')
      await store.containers.create({ image: job.image.id, names: [CONTAINER] });
  }

  async function expectSound(context: string): Promise<void> {
    const { graphRoot } = root;
    await using store = await open();
    const layers = new Map((await store.layers.list()).map((layer) => [layer.id, layer]));
    const images = await store.images.list();
    const containers = await store.containers.list();
    for (const layer of layers.values()) {
      if (layer.parent !== undefined) expect(layers.has(layer.parent), context).toBe(true);
      expect(existsSync(join(graphRoot, 'overlay', layer.id, 'diff')), context).toBe(true);
      const tarSplit = join(graphRoot, 'overlay-layers', `${layer.id}.tar-split.gz`);
      expect(existsSync(tarSplit), context).toBe(layer.diffID !== undefined);
    }
    for (const image of images) {
      if (image.layer !== undefined) expect(layers.has(image.layer), context).toBe(true);
      for (const { name, size } of image.bigData) {
        expect((await store.images.bigData(image.id, name)).length, context).toBe(size);
      }
    }
    for (const container of containers) {
      expect(layers.has(container.layer), context).toBe(true);
      expect(
        images.map(({ id }) => id),
        context,
      ).toContain(container.image);
    }
    await store.close();
    const staging = ['overlay/tempdirs', 'overlay-layers/tmp'].filter((path) =>
      existsSync(join(graphRoot, path)),
    );
    const strangers = ['images', 'containers'].flatMap((kind) => {
      const known = (kind === 'images' ? images : containers).map(({ id }) => id);
      const names = readdirSync(join(graphRoot, `overlay-${kind}`)).filter((name) =>
        /^[0-9a-f]{64}$/.test(name),
      );
      return names.filter((name) => !known.includes(name)).map((name) => `overlay-${kind}/${name}`);
    });
    const trees = readdirSync(join(graphRoot, 'overlay')).filter((name) => /^[0-9a-f]{64}$/.test(name));
    strangers.push(...trees.filter((id) => !layers.has(id)).map((id) => `overlay/${id}`));
    expect([...findDebris(root), ...staging, ...strangers], context).toEqual([]);
    expect(mountsBelow(root.path), context).toEqual([]);
  }

  /** podman reads the store; it leaves its mount of the driver home, which is none of our debris. */
  async function podmanImages(): Promise<void> {
    await podman(root, ['images', '--all']);
    unmountBelow(root.path);
  }

  /** What holds after the operation was done to its end. */
  const DONE: Record<CrashJob['operation'], [images: number, containers: number]> = {
    import: [1, 0],
    create: [1, 1],
    'delete container': [1, 0],
    'delete image': [0, 0],
  };

  /** Does what was interrupted once more, if it was not through. */
  async function doAgain(operation: CrashJob['operation']): Promise<void> {
    const [images, containers] = DONE[operation];
    const state = async () => {
      await using store = await open();
      return [(await store.images.list()).length, (await store.containers.list()).length];
    };
    const isDone = (await state()).join() === [images, containers].join();
    if (operation === 'import' || !isDone) await runCrashJob({ ...job, operation });
    expect(await state()).toEqual([images, containers]);
  }

  /** Evenly spread, with the first and the last. */
  function sample(points: readonly KillPoint[]): KillPoint[] {
    const step = Math.max(1, (points.length - 1) / (SAMPLES - 1));
    const chosen = Array.from(
      { length: Math.min(SAMPLES, points.length) },
      (_, i) => points[Math.round(i * step)],
    );
    return chosen.filter((point) => point !== undefined);
  }

  it.each(['import', 'create', 'delete container', 'delete image'] as const)(
    '%s: nothing half-done is seen, nothing is left, and it succeeds again',
    async (operation) => {
      await prepare(operation);
      const all = findKillPoints(child.path, { ...job, operation });
      expect(all.length).toBeGreaterThan(SAMPLES);
      const points = process.env.SEDIMENT_ALL_KILLS ? all : sample(all);
      let killed = 0;
      for (const [i, point] of points.entries()) {
        const context = `${operation}, killed at ${point.call} ${point.when}`;
        await prepare(operation);
        if (!killAt(child.path, { ...job, operation }, point)) continue;
        killed += 1;
        const asksPodman = i % 4 === 1 && peersSkipReason === undefined;
        // If podman is first to find that a container's layer was being deleted, it leaves the container.
        if (asksPodman && operation !== 'delete container') await podmanImages();
        await expectSound(context);
        if (asksPodman) await podmanImages();
        await doAgain(operation);
        await expectSound(`${context}, then done again`);
      }
      expect(killed).toBeGreaterThan(points.length / 2);
    },
    300_000,
  );
});
