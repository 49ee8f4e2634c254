import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CheckEvent, isSound, type Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const SHARED_IMAGE = 'ab'.repeat(32);
const OWN_IMAGE = 'cd'.repeat(32);
const MAPS = [{ containerId: 0, hostId: 100_000, size: 65_536 }];

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `a check of more than one store: %s (${noStore ?? 'root'})`,
  (driver) => {
    let roots: TempRoots;
    let shared: string;
    beforeEach(() => {
      roots = new TempRoots();
      shared = join(roots.directory, 'shared');
    });
    afterEach(async () => {
      await roots.cleanup();
    });

    async function fill(store: Store, image: string, name: string): Promise<string> {
      const chain = [
        layerOf(roots.directory, `${name}-base`, { 'etc/passwd': 'root\n', 'etc/motd': name }),
        layerOf(roots.directory, `${name}-top`, { 'opt/app': 'app' }),
      ];
      const layers = await store.layers.addChain(chain);
      const bigData = [{ name: 'manifest', bytes: Buffer.from('{}') }];
      await store.images.put({ id: image, names: [], layer: layers.at(-1)?.id as string, bigData });
      return layers[0]?.id as string;
    }
    const layerFiles = (root: string, id: string) =>
      driver === 'overlay' ? join(root, 'overlay', id, 'diff') : join(root, 'vfs/dir', id);
    const listing = (path: string) =>
      execFileSync('sh', ['-c', `find ${path} -xdev -printf '%p %y %m %U %G %s %T@ %C@ %n\\n' | sort`], {
        encoding: 'utf8',
      });

    it('additional stores are read, and never mended', async () => {
      const other = await roots.open({ driver, graphRoot: shared });
      const base = await fill(other, SHARED_IMAGE, 'shared');
      await other.layers.addChain([layerOf(roots.directory, 'unused', { a: 'b' })]);
      await other.close();
      const store = await roots.open({ driver, driverOptions: [`${driver}.imagestore=${shared}`] });
      await fill(store, OWN_IMAGE, 'own');
      await store.containers.create({ image: SHARED_IMAGE, names: ['box'] });
      const sound = await store.check({ maxUnreferencedLayerAge: 0 });
      expect(sound).toSatisfy(isSound);
      expect(sound.checked).toEqual({ layers: 6, images: 2, containers: 1 });

      writeFileSync(join(layerFiles(shared, base), 'etc/passwd'), 'toor\n');
      rmSync(join(shared, `${driver}-images`, SHARED_IMAGE, 'manifest'));
      const before = listing(shared);
      const report = await store.check({ maxUnreferencedLayerAge: 0 });
      const fault = `read-only layer ${base}: file integrity checksum failed for "./etc/passwd"`;
      expect(report.readOnlyLayers.map(({ findings }) => findings.map(({ text }) => text))).toEqual([
        [fault],
      ]);
      expect(report.readOnlyImages.map(({ findings }) => findings.map(({ text }) => text))).toEqual([
        [`read-only image ${SHARED_IMAGE}: data item "manifest": image data item is missing`, fault],
      ]);
      expect(report.containers[0]?.findings.map(({ kind }) => kind)).toEqual([
        'image-data-missing',
        'layer-content-unreadable',
      ]);
      expect([report.layers, report.images]).toEqual([[], []]);
      expect(await store.repair(report)).toEqual({ removed: [], failed: [] });
      expect(listing(shared)).toBe(before);
    });

    it('image layers in a place of their own', async () => {
      const store = await roots.open({ driver, imageStore: shared });
      const base = await fill(store, OWN_IMAGE, 'own');
      await store.containers.create({ image: OWN_IMAGE, names: ['box'] });
      expect(await store.check({ maxUnreferencedLayerAge: 0 })).toSatisfy(isSound);
      rmSync(join(layerFiles(shared, base), 'etc/passwd'));
      const report = await store.check();
      expect(report.layers.map(({ id }) => id)).toEqual([base]);
      const { failed } = await store.repair(report, { removeContainers: true });
      expect(failed).toEqual([]);
      expect((await store.check({ maxUnreferencedLayerAge: 0 })).checked).toEqual({
        layers: 0,
        images: 0,
        containers: 0,
      });
    });

    it('layers with other owners on disk', async () => {
      const store = await roots.open({ driver });
      await fill(store, OWN_IMAGE, 'own');
      await store.containers.create({ image: OWN_IMAGE, uidMap: MAPS, gidMap: MAPS });
      const report = await store.check({ maxUnreferencedLayerAge: 0 });
      expect(report).toSatisfy(isSound);
      const [image] = await store.images.list();
      expect(image?.mappedLayers.length).toBe(driver === 'vfs' ? 1 : 0);
    });

    it.runIf(driver === 'overlay')('a copy of a layer with other owners on disk', async () => {
      process.env._CONTAINERS_OVERLAY_DISABLE_IDMAP = 'yes';
      try {
        const store = await roots.open({ driver });
        await fill(store, OWN_IMAGE, 'own');
        await store.containers.create({ image: OWN_IMAGE, uidMap: MAPS, gidMap: MAPS });
        const [image] = await store.images.list();
        const copy = image?.mappedLayers[0] as string;
        expect((await store.layers.get(copy)).diffID).toBeDefined();
        expect(await store.check({ maxUnreferencedLayerAge: 0 })).toSatisfy(isSound);
        writeFileSync(join(roots.graphRoot, 'overlay', copy, 'diff1/opt/app'), 'ppa');
        expect((await store.check()).layers.map(({ id }) => id)).toEqual([copy]);
      } finally {
        delete process.env._CONTAINERS_OVERLAY_DISABLE_IDMAP;
      }
    });

    it('a snapshot is checked without mounts', async () => {
      const store = await roots.open({ driver });
      const base = await fill(store, OWN_IMAGE, 'own');
      writeFileSync(join(layerFiles(roots.graphRoot, base), 'etc/passwd'), 'toor\n');
      const snapshot = await roots.open({ driver, access: 'snapshot' });
      const report = await snapshot.check();
      expect(report.skipped).toEqual(['mountable', 'contents']);
      expect(report.layers.map(({ id }) => id)).toEqual([base]);
      await expect(snapshot.repair(report)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    });

    it('tells how far it is, and can be aborted', async () => {
      const store = await roots.open({ driver });
      await store.layers.addChain([layerOf(roots.directory, 'big', { big: 'x'.repeat(60 * 1024 * 1024) })]);
      await fill(store, OWN_IMAGE, 'own');
      const events: CheckEvent[] = [];
      await store.check({ onProgress: (event) => events.push(event) });
      expect(events.map(({ type, index, total }) => `${type} ${index}/${total}`)).toEqual([
        'layer-begin 1/3',
        'layer-end 1/3',
        'layer-begin 2/3',
        'layer-end 2/3',
        'layer-begin 3/3',
        'layer-end 3/3',
      ]);
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 5);
      await expect(store.check({ signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' });
      await expect(store.check({ maxUnreferencedLayerAge: Number.NaN })).rejects.toThrow(RangeError);
    });

    it('a mount that is there is left alone, and other programs are not kept waiting', async () => {
      const store = await roots.open({ driver });
      await fill(store, OWN_IMAGE, 'own');
      const { id } = await store.containers.create({ image: OWN_IMAGE });
      const mounted = await store.mount(id);
      writeFileSync(join(mounted, 'new'), 'x');
      const checking = store.check();
      const other = await roots.open({ driver });
      expect(await other.mount(id)).toBe(mounted);
      expect(await checking).toSatisfy(isSound);
      expect(readFileSync(join(mounted, 'new'), 'utf8')).toBe('x');
      expect(await store.unmount(id)).toBe(true);
      expect(await other.unmount(id)).toBe(false);
    });
  },
);
