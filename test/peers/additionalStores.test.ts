import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveOf, ociLayoutFiles } from '../support/imageArchive.ts';
import {
  containersStorage,
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
} from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { readRecords } from '../support/records.ts';
import { mustRun } from '../support/runProgram.ts';
import { sediment, sedimentJson, trySediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot, withDriverOption } from '../support/storeRoot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';
import { tinyImage } from '../support/tinyImage.ts';
import { compareTrees, listTree } from '../support/treeListing.ts';

const SHARED = 'localhost/shared:1';
const OWN = 'localhost/own:1';

interface Listed {
  id: string;
  names: string[];
}

describe.skipIf(peersSkipReason).each(['overlay', 'vfs'] as const)(
  peerTitle('an additional image store (%s)'),
  (driver) => {
    let shared: StoreRoot;
    let store: StoreRoot;
    beforeEach(() => {
      shared = makeStoreRoot({ driver });
      store = withAdditional(makeStoreRoot({ driver }), shared);
    });
    afterEach(() => {
      store.dispose();
      shared.dispose();
    });

    it('that podman filled is listed behind our own images, is used, and stays as it is', async () => {
      await fillByPodman(shared);
      await sediment(store, ['import', writeOwnArchive(store)]);
      const before = listTree(shared.graphRoot);
      expect(await listed(store)).toEqual([[OWN], [SHARED]]);
      const { stdout } = await podman(store, [
        'images',
        '--format',
        '{{.Repository}}:{{.Tag}} {{.ReadOnly}}',
      ]);
      expect(stdout.trim().split('\n').sort()).toEqual([`${OWN} false`, `${SHARED} true`]);

      const box = (await sediment(store, ['create', '--name', 'box', SHARED])).stdout.trim();
      const mounted = (await sediment(store, ['mount', box], { changesMounts: true })).stdout.trim();
      expect(readFileSync(join(mounted, 'etc/motd'), 'utf8')).toBe('second\n');
      writeFileSync(join(mounted, 'etc/motd'), 'changed\n');
      await sediment(store, ['unmount', box], { changesMounts: true });
      const again = (await containersStorage(store, ['mount', box])).stdout.trim();
      expect(readFileSync(join(again, 'etc/motd'), 'utf8')).toBe('changed\n');
      await containersStorage(store, ['unmount', box]);
      await sediment(store, ['rm', box]);
      expect(changes(before, shared)).toEqual([]);
    });

    it('that we filled is read, copied and run from by the Go programs', async () => {
      await sediment(shared, ['import', writeTinyArchives(shared, SHARED).ociArchive]);
      const [image] = readRecords(shared).images;
      const { stdout } = await podman(store, [
        'images',
        '--format',
        '{{.Repository}}:{{.Tag}} {{.ReadOnly}}',
      ]);
      expect(stdout.trim()).toBe(`${SHARED} true`);
      const ran = await podmanRun(store, ['--rm', SHARED, '/bin/cat', '/etc/motd']);
      expect(ran.stdout).toBe('second\n');
      await podman(store, ['create', '--name', 'theirs', SHARED]);
      expect((await sedimentJson<Listed[]>(store, ['containers'])).map(({ names }) => names)).toEqual([
        ['theirs'],
      ]);
      const layers = (await containersStorage(store, ['layers', '--json'])).stdout;
      expect(layers).toContain(image?.layer);
      const copies = [shared, store].map((place) => join(place.path, 'copy'));
      for (const [i, place] of [shared, store].entries()) {
        await skopeo(place, ['copy', storeReference(place, SHARED), `dir:${copies[i]}`]);
      }
      const [direct, through] = copies.map((copy) => listTree(copy ?? ''));
      const content = (path: string, field: string) => path !== '' && field === 'sha256';
      expect(compareTrees(direct as never, through as never, (path, field) => !content(path, field))).toEqual(
        [],
      );
    });

    it('keeps its images: they are not ours to delete, and a name for one is kept beside it', async () => {
      await fillByPodman(shared);
      const before = listTree(shared.graphRoot);
      const refused = await trySediment(store, ['rmi', SHARED]);
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('STORE_READ_ONLY') });
      const [layer] = readRecords(shared).layers;
      const gone = await containersStorage(store, ['delete-layer', layer?.id ?? ''], { mayFail: true });
      expect(gone.exitCode).toBe(1);
      await sediment(store, ['tag', SHARED, 'localhost/mine:1']);
      const [copy] = readRecords(store).images;
      expect(copy).toMatchObject({ id: readRecords(shared).images[0]?.id });
      const { stdout } = await podman(store, [
        'images',
        '--format',
        '{{.Repository}}:{{.Tag}} {{.ReadOnly}}',
      ]);
      expect(stdout).toContain('localhost/mine:1 false');
      const run = await podmanRun(store, ['--rm', 'localhost/mine:1', '/bin/cat', '/etc/motd']);
      expect(run.stdout).toBe('second\n');
      expect(copy?.names).toEqual(['localhost/mine:1', SHARED]);
      await sediment(store, ['rmi', 'localhost/mine:1', SHARED]);
      expect(readRecords(store).images).toEqual([]);
      expect(await listed(store)).toEqual([[SHARED]]);
      expect(changes(before, shared)).toEqual([]);
    });

    it('gives its layers to an image that is imported: they are not unpacked again', async () => {
      await fillByPodman(shared);
      const archive = writeOwnArchive(store);
      const [imported] = await sedimentJson<Array<{ reusedLayers: number; layerCount: number }>>(store, [
        'import',
        archive,
      ]);
      expect(imported).toMatchObject({ reusedLayers: 2, layerCount: 2 });
      expect(readRecords(store).layers).toEqual([]);
      const run = await podmanRun(store, ['--rm', OWN, '/bin/cat', '/etc/motd']);
      expect(run.stdout).toBe('second\n');
      await sediment(store, ['rmi', OWN]);
      expect(readRecords(shared).layers).toHaveLength(2);
    });

    it('with two images of one name is an error for all programs, and is not touched', async () => {
      await fillByPodman(shared);
      const file = join(shared.graphRoot, `${driver}-images/images.json`);
      const [image] = JSON.parse(readFileSync(file, 'utf8'));
      const damaged = JSON.stringify([image, { ...image, id: 'ab'.repeat(32) }]);
      writeFileSync(file, damaged);
      const text = 'read-only image store assigns the same name to multiple images';
      const theirs = await podman(store, ['images'], { mayFail: true });
      const ours = await trySediment(store, ['images']);
      expect([theirs.exitCode === 0, ours.exitCode === 0]).toEqual([false, false]);
      for (const { stderr } of [theirs, ours]) expect(stderr).toContain(text);
      expect(readFileSync(file, 'utf8')).toBe(damaged);
    });
  },
);

describe.skipIf(peersSkipReason)(peerTitle('an additional image store on read-only media'), () => {
  it.each(['with', 'without'])('is read %s lock files', async (locks) => {
    await using shared = makeStoreRoot({ on: 'ext4' });
    await using store = withAdditional(makeStoreRoot(), shared);
    await fillByPodman(shared);
    await podman(shared, ['unmount', '--all']);
    if (locks === 'without') {
      for (const path of lockFilesBelow(shared.graphRoot)) rmSync(path);
    }
    await mustRun('/bin/sh', [
      '-c',
      `umount -q ${shared.graphRoot}/overlay; mount -o remount,ro ${shared.path}`,
    ]);
    expect(await listed(store)).toEqual([[SHARED]]);
    const box = (await sediment(store, ['create', SHARED])).stdout.trim();
    const mounted = (await sediment(store, ['mount', box], { changesMounts: true })).stdout.trim();
    expect(readFileSync(join(mounted, 'etc/motd'), 'utf8')).toBe('second\n');
    await sediment(store, ['unmount', box], { changesMounts: true });
    await sediment(store, ['rm', box]);
    expect(readRecords(store)).toMatchObject({ layers: [], containers: [] });
  });
});

/** An image of the same layers, but with an id of its own. */
function writeOwnArchive(store: StoreRoot): string {
  const path = join(store.path, 'own.tar');
  const image = { ...tinyImage(OWN), config: { Cmd: ['/bin/ls'] } };
  writeFileSync(path, archiveOf(ociLayoutFiles([image])));
  return path;
}

async function fillByPodman(store: StoreRoot): Promise<void> {
  await podman(store, ['load', '--input', writeTinyArchives(store, SHARED).dockerArchive]);
}

function withAdditional(store: StoreRoot, shared: StoreRoot): StoreRoot {
  return withDriverOption(store, `${store.driver}.imagestore=${shared.graphRoot}`);
}

async function listed(store: StoreRoot): Promise<string[][]> {
  return (await sedimentJson<Listed[]>(store, ['images'])).map(({ names }) => names);
}

/** What is different in a store now; the Go programs may make lock files, and their mounts touch directories. */
function changes(before: ReturnType<typeof listTree>, { graphRoot }: StoreRoot): string[] {
  return compareTrees(before, listTree(graphRoot), (path, field) => {
    return field === 'mtimeNs' && before.get(path)?.kind === 'directory';
  }).filter((line) => !line.includes('.lock"'));
}

function lockFilesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.lock'))
    .map((path) => join(directory, path));
}
