import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runDropin } from '../support/dropin.ts';
import { mountsBelow } from '../support/mounts.ts';
import { containersStorage, peersSkipReason, peerTitle, podman, withRoots } from '../support/peers.ts';
import { readRecords } from '../support/records.ts';
import { mustRun, succeeded } from '../support/runProgram.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';

const NAME = 'localhost/tiny:1';

type Program = 'ours' | 'containers-storage' | 'podman';

describe.skipIf(peersSkipReason).each(['overlay', 'vfs'] as const)(
  peerTitle('mount counts (%s)'),
  (driver) => {
    let store: StoreRoot;
    let box: string;

    const call = async (program: Program, command: string, ...more: string[]): Promise<string> => {
      if (program === 'podman') return (await podman(store, [command, ...more, 'box'])).stdout.trim();
      const args = [command, ...more, 'box'];
      if (program === 'containers-storage') return (await containersStorage(store, args)).stdout.trim();
      return succeeded(await runDropin(store, withRoots(store, args), { env: store.env })).stdout.trim();
    };
    const count = () => readRecords(store).mountpoints.find(({ id }) => id === box)?.count;
    const isMounted = () =>
      mountsBelow(join(store.graphRoot, 'overlay', box, 'merged')).some(({ fstype }) => fstype === 'overlay');

    beforeEach(async () => {
      store = makeStoreRoot({ driver });
      await podman(store, ['load', '--input', writeTinyArchives(store).dockerArchive]);
      await podman(store, ['create', '--network', 'none', '--name', 'box', NAME]);
      box = readRecords(store).containers[0]?.layer ?? '';
    });
    afterEach(() => store.dispose());

    it('are shared with the Go programs, in any order', async () => {
      const paths = [
        await call('ours', 'mount'),
        await call('containers-storage', 'mount'),
        await call('podman', 'mount'),
        await call('ours', 'mount'),
      ];
      expect(new Set(paths).size).toBe(1);
      // podman counts for itself whether it has mounted a container.
      const all = count() as number;
      expect(all).toBeGreaterThanOrEqual(3);
      expect(await call('containers-storage', 'mounted')).toBe('box mounted');
      expect(await call('ours', 'mounted')).toBe('box mounted');
      expect(await call('ours', 'unmount')).toBe('');
      expect(count()).toBe(all - 1);
      await call('podman', 'unmount');
      expect(await call('containers-storage', 'unmount')).toBe(
        count() === undefined ? 'box mountpoint unmounted' : '',
      );
      while (count() !== undefined) await call('ours', 'unmount');
      expect(isMounted()).toBe(false);
      expect(await call('containers-storage', 'mounted')).toBe('');
      expect(await call('ours', 'mounted')).toBe('');
    });

    it('do not matter to those who force', async () => {
      for (const program of ['ours', 'containers-storage', 'ours'] as const) await call(program, 'mount');
      expect(await call('ours', 'unmount', '--force')).toBe('box mountpoint unmounted');
      expect([count(), isMounted()]).toEqual([undefined, false]);
      for (const program of ['containers-storage', 'ours', 'containers-storage'] as const)
        await call(program, 'mount');
      expect(await call('containers-storage', 'unmount', '--force')).toBe('box mountpoint unmounted');
      expect([count(), isMounted()]).toEqual([undefined, false]);
      // Saying so is no error, as upstream has it.
      expect(await call('ours', 'unmount')).toBe('box mountpoint unmounted');
      expect(await call('containers-storage', 'unmount')).toBe('box mountpoint unmounted');
    });

    it('from before a restart are believed by nobody', async () => {
      await call('containers-storage', 'mount');
      await call('containers-storage', 'mount');
      if (driver === 'overlay')
        await mustRun('umount', ['-l', join(store.graphRoot, 'overlay', box, 'merged')]);
      else rmSync(join(store.runRoot, 'vfs-layers/mountpoints.json'));
      expect(await call('ours', 'mounted')).toBe('');
      const root = await call('ours', 'mount');
      expect(count()).toBe(1);
      expect(await call('containers-storage', 'mount')).toBe(root);
      expect(count()).toBe(2);
      await call('ours', 'unmount');
      expect(await call('ours', 'unmount')).toBe('box mountpoint unmounted');
      expect(isMounted()).toBe(false);
    });

    it('hold for an image that is mounted read-only', async () => {
      const mountImage = async () =>
        succeeded(await runDropin(store, withRoots(store, ['mount', '-r', NAME]))).stdout.trim();
      const root = await mountImage();
      expect(await mountImage()).toBe(root);
      const top = readRecords(store).images[0]?.layer;
      expect(readRecords(store).mountpoints).toEqual([{ id: top, path: root, count: 2 }]);
      if (driver === 'overlay') {
        const peer = await containersStorage(store, ['mount', '-r', NAME]);
        expect(peer.stdout.trim()).toBe(root);
        await containersStorage(store, ['unmount', NAME]);
      }
      for (const _ of [1, 2]) succeeded(await runDropin(store, withRoots(store, ['unmount', NAME])));
      expect(readRecords(store).mountpoints).toEqual([]);
      expect(mountsBelow(root).filter(({ fstype }) => fstype === 'overlay')).toEqual([]);
    });
  },
);
