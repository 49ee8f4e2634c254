import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overlaySkipReason, rootSkipReason, titled } from '../support/hostAbility.ts';
import { archiveOf, dockerArchiveFiles, imageIdOf, ociLayoutFiles } from '../support/imageArchive.ts';
import { mountsBelow } from '../support/mounts.ts';
import { sediment, sedimentJson, trySediment } from '../support/sediment.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { tinyImage } from '../support/tinyImage.ts';

interface ImageRow {
  id: string;
  names: string[];
  size: number;
  layer: string;
  containers: string[];
}

interface Inspection {
  Id: string;
  GraphDriver: { Name: string; Data: Record<string, string> | null };
}

const app = tinyImage('localhost/app:1');
const other = { ...tinyImage('tools:2'), config: { Cmd: ['/bin/ls'] } };
const appId = imageIdOf(app);
const otherId = imageIdOf(other);

describe.each<[DriverName, string | undefined]>([
  ['overlay', overlaySkipReason],
  ['vfs', rootSkipReason],
])('the life of images and containers', (driver, skipReason) => {
  describe.skipIf(skipReason)(titled(`with ${driver}`, skipReason), () => {
    let store: StoreRoot;
    const file = (name: string) => join(store.path, name);
    beforeAll(() => {
      store = makeStoreRoot({ driver });
      writeFileSync(file('app.tar'), archiveOf(ociLayoutFiles([app])));
      writeFileSync(file('both.tar'), archiveOf(dockerArchiveFiles([app, other])));
    });
    afterAll(() => store?.dispose());

    it('imports an archive under the names that it has', async () => {
      const { stdout, stderr } = await sediment(store, ['import', file('app.tar')]);
      expect(stdout).toBe(`Imported ${appId.slice(0, 12)} as localhost/app:1 (2 layers)\n`);
      expect(stderr).toBe('');
    });

    it('wants to know which image of several', async () => {
      const { exitCode, stdout, stderr } = await trySediment(store, ['import', file('both.tar')]);
      expect(exitCode).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^Error: .*both\.tar holds 2 images.* \[IMAGE_AMBIGUOUS\]\nHint: .*--all"\n$/);
    });

    it('imports all, reuses layers, and completes short names', async () => {
      const rows = await sedimentJson(store, ['import', '--all', file('both.tar')]);
      expect(rows).toMatchObject([
        { id: appId, isNew: false, layerCount: 2, reusedLayers: 2 },
        { id: otherId, isNew: true, names: ['localhost/tools:2'], layerCount: 2, reusedLayers: 2 },
      ]);
      const quiet = await sediment(store, [
        'import',
        '-q',
        '--image',
        'tools:2',
        '--name',
        'x',
        file('both.tar'),
      ]);
      expect(quiet.stdout).toBe(`${otherId}\n`);
    });

    it('lists images, layers and containers', async () => {
      const images = await sedimentJson<ImageRow[]>(store, ['images']);
      expect(images.map(({ names }) => names)).toEqual(
        expect.arrayContaining([['localhost/app:1'], ['localhost/x:latest', 'localhost/tools:2']]),
      );
      const layers = await sedimentJson<Array<{ id: string; parent: string; diffSize: number }>>(store, [
        'layers',
      ]);
      expect(layers).toHaveLength(2);
      expect(layers[1]?.parent).toBe(layers[0]?.id);
      const size = layers.reduce((sum, { diffSize }) => sum + diffSize, 0);
      expect(images[0]?.size).toBeGreaterThan(size);
      const { stdout } = await sediment(store, ['images']);
      expect(stdout.split('\n')[0]).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
      expect((await sediment(store, ['containers'])).stdout).toBe(
        'CONTAINER ID  NAMES  IMAGE  CREATED  MOUNTED\n',
      );
    });

    it('reports a name that is taken from another image', async () => {
      const { stderr } = await sediment(store, ['tag', 'app:1', 'x']);
      expect(stderr).toBe(
        `Warning: the name localhost/x:latest was taken from image ${otherId.slice(0, 12)} [NAME_TAKEN]\n`,
      );
    });

    it('finds images by name, with or without a registry, and by id', async () => {
      for (const text of ['app:1', 'localhost/app:1', 'x', appId, appId.slice(0, 12), `sha256:${appId}`]) {
        const [found] = await sedimentJson<Inspection[]>(store, ['inspect', text]);
        expect(found?.Id).toBe(appId);
      }
      const { stderr } = await trySediment(store, ['create', 'nosuch']);
      expect(stderr).toContain('looked for localhost/nosuch:latest, docker.io/library/nosuch:latest');
    });

    it('mounts a container, which sees all layers and writes into its own', async () => {
      const id = (await sediment(store, ['create', '--name', 'box', 'app:1'])).stdout.trim();
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      const root = (await sediment(store, ['mount', 'box'], { changesMounts: true })).stdout.trim();
      expect(readFileSync(join(root, 'etc/motd'), 'utf8')).toBe('second\n');
      expect(existsSync(join(root, 'etc/old/gone'))).toBe(false);
      writeFileSync(join(root, 'tmp/new'), 'new\n');
      const [container] = await sedimentJson<Inspection[]>(store, ['inspect', 'box']);
      expect(container).toMatchObject({ Id: id, GraphDriver: { Name: driver } });
      if (driver === 'overlay') {
        const { UpperDir = '', MergedDir } = container?.GraphDriver.Data ?? {};
        expect(MergedDir).toBe(root);
        expect(readFileSync(join(UpperDir, 'tmp/new'), 'utf8')).toBe('new\n');
      } else {
        expect(container?.GraphDriver.Data).toBeNull();
      }
      expect(await sedimentJson(store, ['mount'])).toMatchObject([{ container: id, path: root, count: 1 }]);
    });

    it('keeps what is in use', async () => {
      const rmi = await trySediment(store, ['rmi', '--force', 'x', 'localhost/nosuch']);
      expect(rmi).toMatchObject({ exitCode: 1, stdout: 'Untagged: localhost/x:latest\n' });
      const used = await trySediment(store, ['rmi', 'app:1']);
      expect(used.exitCode).toBe(1);
      expect(used.stderr).toMatch(
        /used by [0-9a-f]{64} \(box\): image is in use by a container.*\nHint: .*rm box/,
      );
    });

    it('removes a mounted container, but that of another program only by force', async () => {
      const before = mountsBelow(store.path);
      for (const name of ['own', 'foreign']) {
        await sediment(store, ['create', 'app:1', '--name', name]);
        await sediment(store, ['mount', name], { changesMounts: true });
      }
      await sediment(store, ['rm', 'own'], { changesMounts: true });
      const json = join(store.graphRoot, `${driver}-containers`, 'containers.json');
      const records = JSON.parse(readFileSync(json, 'utf8'));
      const marked = records.map((record: { names?: string[] }) =>
        record.names?.includes('foreign') ? { ...record, metadata: '{}' } : record,
      );
      writeFileSync(json, JSON.stringify(marked));
      const refused = await trySediment(store, ['rm', 'foreign']);
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toMatch(
        /container foreign is mounted at .* \[CONTAINER_MOUNTED\]\nHint: .*--force/,
      );
      await sediment(store, ['rm', '--force', 'foreign'], { changesMounts: true });
      expect(mountsBelow(store.path)).toEqual(before);
    });

    it('unmounts, and says when there is nothing to unmount', async () => {
      expect((await sediment(store, ['unmount', 'box'], { changesMounts: true })).stdout).toBe('box\n');
      expect(mountsBelow(store.path)).toEqual([]);
      const again = await trySediment(store, ['umount', 'box']);
      expect(again.exitCode).toBe(1);
      expect(again.stderr).toMatch(/container box is not mounted \[LAYER_NOT_MOUNTED\]\nHint: /);
    });

    it('removes containers and images with all that only they need', async () => {
      expect((await sediment(store, ['rm', 'box'])).stdout).toBe('box\n');
      const rmi = await sediment(store, ['rmi', 'app:1']);
      expect(rmi.stdout).toBe(`Untagged: localhost/app:1\nDeleted: ${appId}\n`);
      expect(await sedimentJson(store, ['layers'])).toHaveLength(2);
    });

    it('refuses an image by its id while it has several names, unless forced', async () => {
      await sediment(store, ['tag', 'tools:2', 'y', 'example.com/z:3']);
      await sediment(store, ['create', otherId]);
      const refused = await trySediment(store, ['rmi', otherId.slice(0, 8)]);
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toMatch(
        /has several names: .*localhost\/y:latest.*\[IMAGE_HAS_NAMES\]\nHint: .*--force/,
      );
      const forced = await sediment(store, ['rmi', '--force', otherId]);
      expect(forced.stdout).toMatch(
        /^Removed container: [0-9a-f]{64}\n(Untagged: .*\n){3}Deleted: [0-9a-f]{64}\n$/,
      );
      expect(await sedimentJson(store, ['layers'])).toEqual([]);
    });

    it('untags', async () => {
      await sediment(store, ['import', file('app.tar'), '--name', 'a:1', '--name', 'b']);
      const wrong = await trySediment(store, ['untag', 'a:1', 'c']);
      expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[NAME_UNKNOWN]') });
      expect((await sediment(store, ['untag', 'a:1', 'b'])).stdout).toBe('Untagged: localhost/b:latest\n');
      expect((await sediment(store, ['untag', 'a:1'])).stdout).toBe('Untagged: localhost/a:1\n');
      expect((await sediment(store, ['images'])).stdout).toMatch(/\n<none> +<none> /);
      await sediment(store, ['rmi', appId]);
    });
  });
});
