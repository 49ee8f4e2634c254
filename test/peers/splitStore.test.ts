import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  containersStorage,
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
} from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { sediment, sedimentJson } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot, withDriverOption } from '../support/storeRoot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';

const NAME = 'localhost/tiny:1';
const FORMAT = '{{.Repository}}:{{.Tag}} {{.ReadOnly}}';

/**
 * Programs of Debian 12 know no separate image store. To them the image store is an ordinary store, and the graph
 * root one whose images are in an additional store.
 */
describe.skipIf(peersSkipReason).each(['overlay', 'vfs'] as const)(
  peerTitle('a store whose images have a place of their own (%s)'),
  (driver) => {
    let images: StoreRoot;
    let store: StoreRoot;
    let seenByPodman: StoreRoot;
    beforeEach(() => {
      images = makeStoreRoot({ driver });
      store = { ...makeStoreRoot({ driver }), imageStore: images.graphRoot };
      seenByPodman = withDriverOption(store, `${driver}.imagestore=${images.graphRoot}`);
      const conf = store.env.CONTAINERS_STORAGE_CONF ?? '';
      writeFileSync(conf, `${readFileSync(conf, 'utf8')}imagestore = "${images.graphRoot}"\n`);
    });
    afterEach(() => {
      store.dispose();
      images.dispose();
    });

    it('that we filled: podman runs from both places, and mounts our container', async () => {
      await sediment(store, ['import', writeTinyArchives(store).ociArchive]);
      const box = (await sediment(store, ['create', '--name', 'box', NAME])).stdout.trim();
      expect((await podman(images, ['images', '--format', FORMAT])).stdout.trim()).toBe(`${NAME} false`);
      expect((await podman(seenByPodman, ['images', '--format', FORMAT])).stdout.trim()).toBe(`${NAME} true`);
      for (const place of [images, seenByPodman]) {
        expect((await podmanRun(place, ['--rm', NAME, '/bin/cat', '/etc/motd'])).stdout).toBe('second\n');
      }
      const mounted = (await containersStorage(seenByPodman, ['mount', box])).stdout.trim();
      expect(readFileSync(join(mounted, 'etc/motd'), 'utf8')).toBe('second\n');
      await containersStorage(seenByPodman, ['unmount', box]);
    });

    it('that podman filled: we list, mount and delete, and podman agrees', async () => {
      await podman(images, ['load', '--input', writeTinyArchives(images).dockerArchive]);
      const listed = await sedimentJson<Array<{ names: string[] }>>(store, ['images']);
      expect(listed.map(({ names }) => names)).toEqual([[NAME]]);
      const box = (await sediment(store, ['create', NAME])).stdout.trim();
      const mounted = (await sediment(store, ['mount', box], { changesMounts: true })).stdout.trim();
      expect(readFileSync(join(mounted, 'etc/motd'), 'utf8')).toBe('second\n');
      await sediment(store, ['unmount', box], { changesMounts: true });
      await sediment(store, ['rm', box]);
      await sediment(store, ['rmi', NAME]);
      expect((await podman(images, ['images', '--all', '--quiet'])).stdout).toBe('');
      expect((await containersStorage(images, ['layers', '--json'])).stdout).toMatch(/^(null|\[\])\s*$/);
      await podman(images, ['load', '--input', writeTinyArchives(images).dockerArchive]);
      const copy = `dir:${join(store.path, 'copy')}`;
      await skopeo(images, ['copy', storeReference(images, NAME), copy]);
    });
  },
);
