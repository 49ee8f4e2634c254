import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debootstrapImage } from '../support/debootstrapImage.ts';
import { mountsBelow } from '../support/mounts.ts';
import { peersSkipReason, peerTitle, podman } from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { readRecords, type StoredContainer } from '../support/records.ts';
import { sediment, sedimentJson } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { layerTree } from '../support/storeSnapshot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';
import { podmanContainers, sedimentContainers } from '../support/views.ts';

function containerNamed(store: StoreRoot, name: string): StoredContainer {
  const found = readRecords(store).containers.find(({ names }) => names?.includes(name));
  if (!found) throw new Error(`containers.json holds no container named ${name}`);
  return found;
}

describe.skipIf(peersSkipReason)(peerTitle('containers of an imported image'), () => {
  let store: StoreRoot;
  const image = 'localhost/tiny:1';
  beforeAll(async () => {
    store = makeStoreRoot();
    await sediment(store, ['import', writeTinyArchives(store).ociArchive, '--name', image]);
  });
  afterAll(() => store.dispose());

  it('podman runs one, and what it writes is in the layer of the container', async () => {
    const script = 'echo written > /tmp/note; cat /etc/motd.link /etc/emptied/*; ls /etc/old /etc/replaced';
    const { stdout } = await podmanRun(store, ['--name', 'runner', image, '/bin/sh', '-c', script]);
    expect(stdout).toBe('second\nnew\n/etc/replaced\n\n/etc/old:\n');
    const { layer } = containerNamed(store, 'runner');
    expect(readFileSync(join(layerTree(store, layer), 'tmp/note'), 'utf8')).toBe('written\n');
  });

  it('podman runs one as a user without rights', async () => {
    const { stdout } = await podmanRun(store, [
      '--rm',
      '--user',
      '1000:1000',
      image,
      '/bin/cat',
      '/etc/motd',
    ]);
    expect(stdout).toBe('second\n');
  });

  it('podman sees, mounts and removes one that we created', async () => {
    const { stdout } = await sediment(store, ['create', '--name', 'ours', image]);
    const id = stdout.trim();
    expect((await podmanContainers(store))[id]).toEqual(['ours']);
    const mounted = (await podman(store, ['mount', id])).stdout.trim();
    expect(readFileSync(join(mounted, 'etc/motd'), 'utf8')).toBe('second\n');
    expect(await sedimentJson(store, ['mount'])).toMatchObject([{ container: id, path: mounted, count: 1 }]);
    await podman(store, ['unmount', id]);
    await podman(store, ['rm', id]);
    expect(await sedimentContainers(store)).not.toHaveProperty(id);
  });

  it('we see, mount and remove one that podman created', async () => {
    const id = (await podman(store, ['create', '--name', 'theirs', image])).stdout.trim();
    const { layer } = containerNamed(store, 'theirs');
    expect((await sedimentContainers(store))[id]).toEqual(['theirs']);
    const { stdout } = await sediment(store, ['mount', 'theirs'], { changesMounts: true });
    expect(readFileSync(join(stdout.trim(), 'etc/motd'), 'utf8')).toBe('second\n');
    await sediment(store, ['unmount', 'theirs'], { changesMounts: true });
    await sediment(store, ['rm', 'theirs']);
    expect(readRecords(store).layers.map((each) => each.id)).not.toContain(layer);
    expect(statSync(layerTree(store, layer), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('the mount that we make equals the one that podman makes', async () => {
    const id = (await podman(store, ['create', '--name', 'both', image])).stdout.trim();
    // the first mount of an upper directory differs from all later ones: the kernel gives it a uuid
    await podman(store, ['mount', id]);
    await podman(store, ['unmount', id]);
    const mounted = (await podman(store, ['mount', id])).stdout.trim();
    const theirs = mountsBelow(mounted);
    const inspected = JSON.parse((await podman(store, ['inspect', id])).stdout);
    const [ourView] = await sedimentJson<Array<{ GraphDriver: unknown }>>(store, ['inspect', id]);
    expect(ourView?.GraphDriver).toEqual(inspected[0].GraphDriver);
    await podman(store, ['unmount', id]);

    const { stdout } = await sediment(store, ['mount', id], { changesMounts: true });
    expect(stdout.trim()).toBe(mounted);
    expect(mountsBelow(mounted)).toEqual(theirs);
    expect(theirs).toHaveLength(1);
    expect(JSON.parse((await podman(store, ['inspect', id])).stdout)[0].GraphDriver).toEqual(
      inspected[0].GraphDriver,
    );
    await sediment(store, ['unmount', id], { changesMounts: true });
    expect(mountsBelow(mounted)).toEqual([]);
  });

  it('a mount is counted by both: the last one who unmounts takes it away', async () => {
    const id = (await podman(store, ['create', '--name', 'counted', image])).stdout.trim();
    const mounted = (await podman(store, ['mount', id])).stdout.trim();
    await sediment(store, ['mount', id], { changesMounts: true });
    expect(readRecords(store).mountpoints).toMatchObject([{ path: mounted, count: 2 }]);
    await podman(store, ['unmount', id]);
    expect(mountsBelow(mounted)).toHaveLength(1);
    await sediment(store, ['unmount', id], { changesMounts: true });
    expect(mountsBelow(mounted)).toEqual([]);
    expect(readRecords(store).mountpoints).toEqual([]);
  });

  it('an image of podman looks the same to inspect', async () => {
    const theirs = JSON.parse((await podman(store, ['image', 'inspect', image])).stdout)[0];
    const [ours] = await sedimentJson<Array<Record<string, unknown>>>(store, ['inspect', image]);
    expect(ours?.GraphDriver).toEqual(theirs.GraphDriver);
    expect(ours).toMatchObject({ Id: theirs.Id, Digest: theirs.Digest });
  });
});

describe.skipIf(peersSkipReason)(peerTitle('a Debian with apt layers, imported'), () => {
  let store: StoreRoot;
  let name: string;
  beforeAll(async () => {
    store = makeStoreRoot();
    const image = await debootstrapImage();
    name = image.name;
    await sediment(store, ['import', image.dockerArchive]);
  });
  afterAll(() => store.dispose());

  it('podman runs its programs, and finds removed packages removed', async () => {
    const script =
      'dpkg --audit; bzip2 --version 2>&1 | head -c 5; command -v less; cat /srv/linked; getcap /opt/ls';
    const { stdout } = await podmanRun(store, ['--rm', name, '/bin/bash', '-c', script]);
    expect(stdout).toBe('bzip2linked\n/opt/ls cap_dac_override,cap_net_bind_service=ep\n');
  });
});
