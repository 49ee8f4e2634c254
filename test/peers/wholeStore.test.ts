import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '@sediment/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountsBelow } from '../support/mounts.ts';
import { containersStorage, peersSkipReason, peerTitle, podman } from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { readRecords } from '../support/records.ts';
import { sediment, sedimentJson, trySediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';

const NAME = 'localhost/tiny:1';
const ORPHAN = 'ab'.repeat(32);
const MOUNTED = 'a layer is mounted: layer is in use by a container';

describe.skipIf(peersSkipReason).each(['overlay', 'vfs'] as const)(
  peerTitle('a whole store that is shared with podman (%s)'),
  (driver) => {
    let store: StoreRoot;
    beforeEach(async () => {
      store = makeStoreRoot({ driver });
      await podman(store, ['load', '--input', writeTinyArchives(store).dockerArchive]);
    });
    afterEach(() => store.dispose());

    const open = (): Promise<Store> =>
      openStore({ graphRoot: store.graphRoot, runRoot: store.runRoot, driver, env: { ...store.env } });
    const token = () => readFileSync(join(store.graphRoot, 'storage.lock'), 'hex');

    it('is shut down by one program when the other one mounted nothing', async () => {
      const box = (await sediment(store, ['create', NAME])).stdout.trim();
      await using ours = await open();
      await containersStorage(store, ['mount', box]);
      await expect(ours.shutdown()).rejects.toThrow(MOUNTED);
      await expect(ours.shutdown({ force: true })).rejects.toThrow(MOUNTED);
      const stillMounted = mountsBelow(store.path).filter(({ fstype }) => fstype === 'overlay');
      expect([stillMounted, await ours.mounts()]).toEqual([[], []]);
      await ours.mount(box);
      const theirs = await containersStorage(store, ['shutdown'], { mayFail: true });
      expect(theirs).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(MOUNTED) });
      // With --force the Go command of this version unmounts for ever.
      await containersStorage(store, ['unmount', box]);
      expect(await ours.mounts()).toEqual([]);

      const before = token();
      await ours.shutdown();
      expect(token()).not.toBe(before);
      expect(mountsBelow(store.path)).toEqual([]);
      expect((await podmanRun(store, ['--rm', NAME, '/bin/cat', '/etc/motd'])).stdout).toBe('second\n');
    });

    it('is wiped by us as by the Go command', async () => {
      await using reference = makeStoreRoot({ driver });
      await podman(reference, ['load', '--input', writeTinyArchives(reference).dockerArchive]);
      for (const place of [store, reference]) {
        const box = (await sediment(place, ['create', NAME])).stdout.trim();
        await sediment(place, ['mount', box], { changesMounts: true });
      }
      const refused = await trySediment(store, ['wipe'], { changesMounts: true });
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--force') });
      await sediment(store, ['wipe', '--force'], { changesMounts: true });
      await containersStorage(reference, ['wipe']);
      expect(fileNames(store)).toEqual(fileNames(reference));
      expect(readRecords(store)).toMatchObject({ layers: [], images: [], containers: [] });
      expect((await podman(store, ['ps', '--all', '--external', '--quiet'])).stdout).toBe('');
      await podman(store, ['load', '--input', writeTinyArchives(store).dockerArchive]);
      expect((await podmanRun(store, ['--rm', NAME, '/bin/cat', '/etc/motd'])).stdout).toBe('second\n');
    });

    it('is freed of garbage, and of nothing that podman uses', async () => {
      await podman(store, ['create', '--name', 'theirs', NAME, '/bin/cat', '/etc/motd']);
      const before = readRecords(store);
      const litter = [
        join(store.graphRoot, driver === 'vfs' ? 'vfs/dir' : 'overlay', ORPHAN, 'diff'),
        join(store.graphRoot, `${driver}-containers`, ORPHAN, 'userdata'),
      ];
      for (const path of litter) mkdirSync(path, { recursive: true });
      expect(await sedimentJson(store, ['gc'])).toEqual({
        containers: [ORPHAN],
        images: [],
        layers: [ORPHAN],
        blobs: [],
        blobBytes: 0,
      });
      expect(litter.filter((path) => existsSync(path))).toEqual([]);
      expect(readRecords(store)).toEqual(before);
      expect((await sediment(store, ['gc'])).stdout).toBe('');
      const copy = await podmanRun(store, ['--rm', NAME, '/bin/cat', '/etc/motd']);
      expect(copy.stdout).toBe('second\n');
    });
  },
);

/** All files of a store but those of podman itself, the short links, and what only Go programs make. */
function fileNames({ graphRoot }: StoreRoot): string[] {
  const others = /^(libpod|tmp|mounts|defaultNetworkBackend|db\.sql)(\/|$)|\.lock$|tempdirs|-layers\/tmp/;
  return readdirSync(graphRoot, { recursive: true, encoding: 'utf8' })
    .filter((path) => !others.test(path))
    .sort();
}
