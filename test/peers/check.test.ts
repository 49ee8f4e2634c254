import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckReport, RepairResult } from '@sediment/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildah, containersStorage, peersSkipReason, peerTitle, podman } from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { layerChain, readRecords, type StoredLayer } from '../support/records.ts';
import { sediment, sedimentJson, startSediment } from '../support/sediment.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';

const NAME = 'localhost/tiny:1';
type Repaired = CheckReport & { readonly repair: RepairResult };

describe.skipIf(peersSkipReason).each<DriverName>(['overlay', 'vfs'])(
  peerTitle('check and repair: %s'),
  (driver) => {
    let store: StoreRoot;
    let archive: string;
    beforeEach(async () => {
      store = makeStoreRoot({ driver, on: 'ext4' });
      archive = writeTinyArchives(store).dockerArchive;
      await podman(store, ['load', '--input', archive]);
    });
    afterEach(() => store.dispose());

    const layerFiles = (id: string) =>
      driver === 'overlay'
        ? join(store.graphRoot, 'overlay', id, 'diff')
        : join(store.graphRoot, 'vfs/dir', id);
    const itemsOf = (kind: string, id: string) => join(store.graphRoot, `${driver}-${kind}`, id);
    const editRecords = (kind: string, change: (text: string) => string) => {
      const path = join(store.graphRoot, `${driver}-${kind}`, `${kind}.json`);
      writeFileSync(path, change(readFileSync(path, 'utf8')));
    };
    async function check(...args: string[]): Promise<{ exitCode: number | null; report: Repaired }> {
      // Damage made by hand is something left behind to those who look for that.
      const { exitCode, stdout } = await startSediment(store, ['check', '--format', 'json', ...args]);
      return { exitCode, report: JSON.parse(stdout) as Repaired };
    }
    async function expectSound(): Promise<void> {
      const { stdout } = await sediment(store, ['check', '--max-age', '0']);
      expect(stdout).toMatch(/^Checked \d+ layers?, \d+ images? and \d+ containers?: no damage\n$/);
    }

    it('a day with podman and buildah leaves a sound store', async () => {
      await podmanRun(store, [
        '--name',
        'changer',
        NAME,
        '/bin/sh',
        '-c',
        'echo x > /etc/motd; echo new > /new',
      ]);
      await podman(store, ['commit', 'changer', 'localhost/committed:1']);
      const context = join(store.path, 'context');
      mkdirSync(context);
      writeFileSync(
        join(context, 'Containerfile'),
        `FROM ${NAME}\nCOPY Containerfile /opt/\nRUN echo y > /etc/motd\n`,
      );
      await podman(store, ['build', '--isolation', 'chroot', '-t', 'localhost/built:1', context]);
      await podman(store, ['mount', 'changer']);
      await podman(store, ['image', 'mount', NAME]);
      const { stdout } = await buildah(store, ['from', 'localhost/built:1']);
      await buildah(store, ['commit', stdout.trim(), 'localhost/again:1']);
      await sediment(store, ['create', '--name', 'ours', 'localhost/committed:1']);
      await expectSound();
      await podman(store, ['rmi', '--force', 'localhost/committed:1']);
      await expectSound();
    });

    it('finds and removes a damaged image; it can be loaded again', async () => {
      const records = readRecords(store);
      const [base, top] = layerChain(records, records.images[0]?.layer) as [StoredLayer, StoredLayer];
      writeFileSync(join(layerFiles(base.id), 'etc/motd'), 'third\n');
      rmSync(join(layerFiles(top.id), 'etc/setuid'));
      const found = await check();
      expect(found.exitCode).toBe(1);
      expect(found.report.images).toHaveLength(1);
      expect(found.report.layers.map(({ id }) => id).sort()).toEqual([base.id, top.id].sort());
      const { exitCode, report } = await check('--repair');
      expect(exitCode).toBe(0);
      expect(report.repair.removed.map(({ kind }) => kind)).toEqual(['image', 'layer', 'layer']);
      expect((await podman(store, ['images', '--quiet'])).stdout).toBe('');
      expect((await containersStorage(store, ['layers', '--json'])).stdout).toMatch(/^(null|\[\])\s*$/);
      expect(readdirSync(join(store.graphRoot, driver === 'overlay' ? 'overlay/l' : 'vfs/dir'))).toEqual([]);
      await podman(store, ['load', '--input', archive]);
      expect((await podmanRun(store, ['--rm', NAME, '/bin/cat', '/etc/motd'])).stdout).toBe('second\n');
      await expectSound();
    });

    it('removes containers of a damaged image only if that is asked for', async () => {
      await podman(store, ['create', '--name', 'box', NAME]);
      const { images } = readRecords(store);
      const id = images[0]?.id as string;
      const item = readdirSync(itemsOf('images', id)).find((name) => name.startsWith('=')) as string;
      rmSync(join(itemsOf('images', id), item));
      const kept = await check('--repair');
      expect(kept.exitCode).toBe(1);
      expect(kept.report.repair.failed.map(({ error }) => error.code)).toEqual(['IMAGE_USED_BY_CONTAINER']);
      expect(kept.report.containers[0]?.findings.map(({ kind }) => kind)).toEqual(['image-data-missing']);
      const forced = await check('--force');
      expect(forced.exitCode).toBe(0);
      expect(forced.report.repair.removed.map(({ kind }) => kind)).toEqual([
        'container',
        'image',
        'layer',
        'layer',
      ]);
      await expectSound();
      await podman(store, ['rm', '--force', 'box'], { mayFail: true });
      await podman(store, ['load', '--input', archive]);
      await podman(store, ['create', '--name', 'box', NAME]);
      await expectSound();
    });

    it('removes what the driver has without a record, and what nothing uses', async () => {
      const { stdout } = await containersStorage(store, ['create-layer']);
      const unused = stdout.trim().split('\n')[0] as string;
      mkdirSync(layerFiles('f'.repeat(64)), { recursive: true });
      expect((await check()).report.layers.map(({ id }) => id)).toEqual(['f'.repeat(64)]);
      const { exitCode, report } = await check('--repair', '--max-age', '0');
      expect(exitCode).toBe(0);
      expect(report.repair.removed).toEqual([
        { kind: 'layer', id: unused },
        { kind: 'layer', id: 'f'.repeat(64) },
      ]);
      expect(existsSync(layerFiles('f'.repeat(64)))).toBe(false);
      await expectSound();
    });

    it('finds lost records', async () => {
      await podman(store, ['create', '--name', 'box', NAME]);
      const records = readRecords(store);
      const [base] = layerChain(records, records.images[0]?.layer) as [StoredLayer];
      editRecords('layers', (text) =>
        JSON.stringify((JSON.parse(text) as { id: string }[]).filter(({ id }) => id !== base.id)),
      );
      const { report } = await check();
      const kinds = (list: CheckReport['layers']) =>
        list.flatMap(({ findings }) => findings.map(({ kind }) => kind));
      expect(kinds(report.layers)).toContain('layer-parent-missing');
      expect(kinds(report.images)).toContain('image-layer-missing');
      editRecords('images', () => '[]');
      expect(kinds((await check()).report.containers)).toContain('container-image-missing');
    });

    it('changes nothing, not even a lock file', async () => {
      await podman(store, ['create', '--name', 'box', NAME]);
      await podman(store, ['mount', 'box']);
      await sediment(store, ['check']);
      const listing = () =>
        execFileSync(
          'sh',
          [
            '-c',
            `find ${store.graphRoot} ${store.runRoot} -xdev -printf '%p %y %m %U %G %s %T@ %C@ %n\\n' | sort; grep -F ${store.path} /proc/self/mountinfo`,
          ],
          { encoding: 'utf8' },
        );
      const before = listing();
      await sediment(store, ['check', '--max-age', '0']);
      expect(listing()).toBe(before);
      expect(await sedimentJson(store, ['check'])).toMatchObject({ skipped: [] });
      await podman(store, ['umount', 'box']);
    });

    it('raises no false alarm while others work', async () => {
      let done = false;
      const work = async () => {
        for (let i = 0; i < 4; i++) {
          await podman(store, ['load', '--input', archive]);
          await podmanRun(store, ['--rm', NAME, '/bin/sh', '-c', 'echo x > /x']);
          await podman(store, ['create', '--name', `box${i}`, NAME]);
          await podman(store, ['commit', '--change', `LABEL n=${i}`, `box${i}`, `localhost/commit:${i}`]);
          await podman(store, ['rm', `box${i}`]);
          await podman(store, ['rmi', '--force', '--all']);
        }
      };
      const working = work().finally(() => {
        done = true;
      });
      const reports: Repaired[] = [];
      try {
        while (!done) {
          const { stdout } = await startSediment(store, ['check', '--format', 'json']);
          reports.push(JSON.parse(stdout) as Repaired);
        }
      } finally {
        await working;
      }
      expect(reports.length).toBeGreaterThan(5);
      const texts = reports.flatMap(({ layers, images, containers }) =>
        [...layers, ...images, ...containers].flatMap(({ findings }) => findings.map(({ text }) => text)),
      );
      expect(texts).toEqual([]);
    });
  },
);
