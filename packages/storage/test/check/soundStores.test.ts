import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  buildah,
  containersStorage,
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
} from '../../../../test/support/peers.ts';
import { podmanRun } from '../../../../test/support/podmanRun.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { writeTinyArchives } from '../../../../test/support/tinyArchives.ts';
import { type CheckReport, isSound, openStore } from '../../src/index.ts';

const NAME = 'localhost/tiny:1';

describe.skipIf(peersSkipReason).each<DriverName>(['overlay', 'vfs'])(
  peerTitle('stores of a day with podman: %s'),
  (driver) => {
    let place: StoreRoot;
    beforeEach(() => {
      place = makeStoreRoot({ driver });
    });
    afterEach(() => {
      place.dispose();
    });

    async function check(quick = false): Promise<CheckReport> {
      await using store = await openStore({
        graphRoot: place.graphRoot,
        runRoot: place.runRoot,
        driver,
        env: place.env,
      });
      return await store.check({ quick, maxUnreferencedLayerAge: 0 });
    }

    it('loaded, run, committed, built, tagged, removed', async () => {
      await podman(place, ['load', '--input', writeTinyArchives(place).dockerArchive]);
      expect(await check()).toMatchObject({ layers: [], images: [], containers: [], checked: { layers: 2 } });
      await podmanRun(place, [
        '--name',
        'changer',
        NAME,
        '/bin/sh',
        '-c',
        'echo committed > /etc/motd; echo x > /tmp/new',
      ]);
      await podman(place, ['commit', 'changer', 'localhost/committed:1']);
      await podman(place, ['tag', NAME, 'localhost/again:1']);
      const context = join(place.path, 'context');
      mkdirSync(join(context, 'sub'), { recursive: true });
      writeFileSync(join(context, 'sub/file'), 'built\n');
      writeFileSync(
        join(context, 'Containerfile'),
        `FROM ${NAME}\nCOPY sub /opt/sub\nRUN echo run > /etc/run-made\nCOPY sub/file /etc/motd\n`,
      );
      await podman(place, ['build', '--isolation', 'chroot', '--layers', '-t', 'localhost/built:1', context]);
      await podman(place, [
        'build',
        '--isolation',
        'chroot',
        '--squash',
        '-t',
        'localhost/squashed:1',
        context,
      ]);
      const report = await check();
      expect(isSound(report), JSON.stringify(report, undefined, 1)).toBe(true);
      expect(report.checked.images).toBeGreaterThan(3);
      expect(await check(true)).toMatchObject({ layers: [], skipped: ['contents'] });
    });

    it('with containers and images mounted, and buildah at work', async () => {
      await podman(place, ['load', '--input', writeTinyArchives(place).ociArchive]);
      await podman(place, ['create', '--name', 'box', NAME]);
      await podman(place, ['mount', 'box']);
      await podman(place, ['image', 'mount', NAME]);
      const { stdout } = await buildah(place, ['from', NAME]);
      await buildah(place, ['config', '--label', 'a=b', stdout.trim()]);
      await buildah(place, ['commit', stdout.trim(), 'localhost/by-buildah:1']);
      await skopeo(place, ['copy', storeReference(place, NAME), storeReference(place, 'localhost/copied:1')]);
      await containersStorage(place, ['create-container', 'localhost/copied:1']);
      const report = await check();
      expect(isSound(report), JSON.stringify(report, undefined, 1)).toBe(true);
      await podman(place, ['umount', 'box']);
      await podman(place, ['rm', 'box']);
    });
  },
);
