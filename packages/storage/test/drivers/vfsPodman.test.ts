import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containersStorage, peersSkipReason, peerTitle, podman } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { compareTrees, listTree } from '../../../../test/support/treeListing.ts';
import { VfsDriver } from '../../src/drivers/vfs/vfsDriver.ts';

const isRoot = process.geteuid?.() === 0;
const skip = !isRoot || peersSkipReason !== undefined;

/** What podman's copies keep. */
const FILL = `
echo text > file; ln file hard; mkdir dir; ln file dir/hard; ln -s file link; mkfifo fifo; mknod c c 1 3
install -m 4755 /dev/null suid; install -d -m 1777 sticky; chown 1000:2000 file; chown -h 3:4 link
setfattr -n user.note -v hello file
touch -h -d '2001-02-03 04:05:06.123456789' file link dir
chmod 751 .; chown 11:12 .
`;

describe.skipIf(skip)(peerTitle('vfs and podman on one store (needs root)'), () => {
  let store: StoreRoot;
  let driver: VfsDriver;

  beforeEach(async () => {
    store = makeStoreRoot({ driver: 'vfs', on: 'ext4' });
    const { graphRoot, runRoot } = store;
    driver = new VfsDriver({ graphRoot, runRoot, options: [], imageStores: [], onWarning: () => undefined });
  });
  afterEach(() => store.dispose());

  it('copy a layer to the same tree', async () => {
    const source = join(store.path, 'source');
    mkdirSync(source);
    execFileSync('sh', ['-e', '-c', FILL], { cwd: source });
    const archive = join(store.path, 'layer.tar');
    execFileSync('tar', ['--xattrs', '--format=posix', '-C', source, '-cf', archive, '.']);
    await podman(store, ['import', '--quiet', archive, 'localhost/one:1']);
    await podman(store, ['create', '--name', 'box', 'localhost/one:1', '/x']);
    const layers = JSON.parse(readFileSync(join(store.graphRoot, 'vfs-layers/layers.json'), 'utf8'));
    const theirs = layers.find((layer: { names?: string[] }) => layer.names?.includes('box-layer'));

    await driver.open();
    driver.create('ours', { parent: theirs.parent, readWrite: true });
    const trees = [theirs.id, 'ours'].map((id) => listTree(driver.get(id)));
    expect(compareTrees(trees[0] as never, trees[1] as never)).toEqual([]);
    expect(trees[0]?.size).toBe(10);
  });

  it('have the same layout', async () => {
    await driver.open();
    driver.create('a'.repeat(64), { readWrite: false });
    writeFileSync(join(driver.home, 'dir', 'a'.repeat(64), 'file'), 'ours');
    mkdirSync(join(store.graphRoot, 'vfs-layers'), { mode: 0o700 });
    const record = [{ id: 'a'.repeat(64), created: '2024-01-01T00:00:00Z' }];
    writeFileSync(join(store.graphRoot, 'vfs-layers/layers.json'), JSON.stringify(record));
    const { stdout } = await containersStorage(store, ['mount', 'a'.repeat(64)]);
    expect(stdout.trim()).toBe(driver.get('a'.repeat(64)));
    expect(driver.metadata('a'.repeat(64))).toEqual({});
  });
});
