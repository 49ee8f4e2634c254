import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountsBelow, unmountBelow } from '../../../../test/support/mounts.ts';
import { peerPath, peersSkipReason, peerTitle, podman, podmanRoots } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { directoriesOf, isRoot, overlayFixture } from './overlayFixture.ts';

interface PodmanLayers {
  readonly container: string;
  readonly image: string;
  readonly base: string;
}

/** An image of three layers and a container, made by podman. */
async function podmanStore(store: StoreRoot): Promise<PodmanLayers> {
  const source = join(store.path, 'build');
  mkdirSync(source);
  for (const name of ['a', 'b', 'c']) writeFileSync(join(source, name), name);
  writeFileSync(join(source, 'Containerfile'), 'FROM scratch\nCOPY a /a\nCOPY b /b\nCOPY c /c\n');
  await podman(store, ['build', '--quiet', '--layers', '--tag', 'localhost/three:1', source]);
  await podman(store, ['create', '--name', 'box', 'localhost/three:1', '/x']);
  const layers = JSON.parse(readFileSync(join(store.graphRoot, 'overlay-layers/layers.json'), 'utf8'));
  const id = (match: (layer: { names?: string[]; parent?: string }) => boolean): string =>
    layers.find(match)?.id;
  const container = id(({ names }) => names?.includes('box-layer') ?? false);
  const image = layers.find((layer: { id: string }) => layer.id === container).parent;
  return { container, image, base: id(({ parent }) => parent === undefined) };
}

function mountOf(store: StoreRoot, id: string) {
  const [mount] = mountsBelow(join(store.graphRoot, 'overlay', id, 'merged'));
  return mount === undefined ? undefined : { options: mount.options, directories: directoriesOf(mount) };
}

const skip = !isRoot || peersSkipReason !== undefined;

describe.skipIf(skip)(peerTitle('overlay and podman on one store (needs root)'), () => {
  let store: StoreRoot;
  beforeEach(() => {
    store = makeStoreRoot();
  });
  afterEach(() => store.dispose());

  for (const mountopt of ['', 'nodev', 'nodev,metacopy=on', 'nosuid,index=off']) {
    it(`mount the same with mountopt "${mountopt}"`, async () => {
      const options = mountopt === '' ? [] : [`overlay.mountopt=${mountopt}`];
      const global = options.flatMap((option) => ['--storage-opt', option]);
      const { container, image } = await podmanStore(store);
      await podman(store, [...global, 'mount', 'box']);
      await podman(store, [...global, 'image', 'mount', 'localhost/three:1']);
      const theirs = [mountOf(store, container), mountOf(store, image)];
      expect(theirs[0]?.directories).toHaveLength(3);
      await podman(store, [...global, 'umount', 'box']);
      await podman(store, [...global, 'image', 'umount', 'localhost/three:1']);
      unmountBelow(store.path);

      const { driver } = await overlayFixture(options, store);
      driver.get(container);
      driver.get(image, { readOnly: true });
      expect([mountOf(store, container), mountOf(store, image)]).toEqual(theirs);
      driver.put(container);
      driver.put(image);
      expect(mountsBelow(store.path)).toEqual([]);
    });
  }

  it('know the same of a layer', async () => {
    const { container, image, base } = await podmanStore(store);
    const { driver } = await overlayFixture([], store);
    const inspect = async (...args: string[]) =>
      JSON.parse((await podman(store, [...args, '--format', '{{json .GraphDriver.Data}}'])).stdout);
    // podman leaves MergedDir out while the layer is not mounted.
    for (const [id, theirs] of [
      [container, await inspect('inspect', 'box')],
      [image, await inspect('image', 'inspect', 'localhost/three:1')],
    ] as const) {
      const { MergedDir, ...ours } = driver.metadata(id);
      expect(ours).toEqual(theirs);
      expect(MergedDir).toBe(join(driver.home, id, 'merged'));
    }
    expect(driver.metadata(base)).not.toHaveProperty('LowerDir');
    expect(driver.list()).toContain(container);
  });

  it('share the results of probes, whoever made them', async () => {
    const results = () => readdirSync(join(store.runRoot, 'overlay')).sort();
    const { driver } = await overlayFixture(['mountopt=nodev,metacopy=on'], store);
    // metacopy=on turns redirect_dir on, and then an upper directory is no exact difference.
    const expected = [
      'idmapped-lower-dir-true',
      'metacopy(nodev,metacopy=on)-true',
      'native-diff(nodev,metacopy=on)-false',
      'overlay-true',
      'volatile-true',
    ];
    // To open the driver takes one trial; who asks for the rest has it made.
    expect(results()).toEqual(['overlay-true']);
    const ours = Object.fromEntries(driver.status());
    expect(results()).toEqual(expected);
    const info = async () => {
      const args = ['--storage-opt', 'overlay.mountopt=nodev,metacopy=on', 'info', '--format', 'json'];
      return JSON.parse((await podman(store, args)).stdout).store.graphStatus as Record<string, string>;
    };
    expect(ours).toMatchObject(await info());
    expect(results()).toEqual(expected);

    for (const name of results()) rmSync(join(store.runRoot, 'overlay', name));
    const theirs = await info();
    const probed = results();
    const again = await overlayFixture(['mountopt=nodev,metacopy=on'], store);
    expect(Object.fromEntries(again.driver.status())).toMatchObject(theirs);
    // podman 4.3 asks for volatile only when it mounts.
    expect(results()).toEqual(expected);
    expect(expected).toEqual(expect.arrayContaining(probed));
  });

  it('believe each other that something does not work', async () => {
    const { driver } = await overlayFixture([], store);
    const cached = join(store.runRoot, 'overlay', 'native-diff()');
    expect(Object.fromEntries(driver.status())['Native Overlay Diff']).toBe('true');
    rmSync(`${cached}-true`);
    writeFileSync(`${cached}-false`, 'for a test');
    const { stdout } = await podman(store, ['info', '--format', 'json']);
    expect(JSON.parse(stdout).store.graphStatus['Native Overlay Diff']).toBe('false');
    const again = await overlayFixture([], store);
    expect(Object.fromEntries(again.driver.status())['Native Overlay Diff']).toBe('false');
    expect(Object.fromEntries(driver.status())['Native Overlay Diff']).toBe('true');
  });

  it('use the mount of the other, and either takes it away', async () => {
    const { container } = await podmanStore(store);
    const { driver } = await overlayFixture([], store);
    const merged = driver.get(container);
    writeFileSync(join(merged, 'ours'), '');
    expect((await podman(store, ['mount', 'box'])).stdout.trim()).toBe(merged);
    expect(mountsBelow(merged)).toHaveLength(1);
    await podman(store, ['umount', 'box']);
    expect(driver.isMounted(merged)).toBe(false);
    driver.put(container);

    await podman(store, ['mount', 'box']);
    const fresh = await overlayFixture([], store);
    expect(fresh.driver.get(container)).toBe(merged);
    expect(existsSync(join(merged, 'ours'))).toBe(true);
    fresh.driver.put(container);
    expect(fresh.driver.isMounted(merged)).toBe(true);
    (await overlayFixture([], store)).driver.put(container);
    expect(fresh.driver.isMounted(merged)).toBe(false);
  });

  it('work side by side: podman binds the home, or frees it, while a tree is staged', async () => {
    await podmanStore(store);
    unmountBelow(store.path);
    const { driver, temp, homeMounts } = await overlayFixture([], store);
    for (const [id, command, bound] of [
      ['e'.repeat(64), 'mount', 1],
      ['f'.repeat(64), 'umount', 0],
    ] as const) {
      const dir = temp.create();
      const tree = dir.stageAddition();
      driver.prepareStaged(tree, {});
      writeFileSync(join(tree, 'file'), 'staged');
      await podman(store, [command, 'box']);
      expect(homeMounts()).toHaveLength(bound);
      driver.commitStaged(tree, id, {});
      expect(readFileSync(join(driver.get(id), 'file'), 'utf8')).toBe('staged');
      driver.put(id);
      const deletion = temp.create();
      driver.remove(id, deletion);
      deletion.cleanup();
      dir.cleanup();
      expect(homeMounts()).toHaveLength(bound);
    }
  });

  it('commit while podman keeps opening the store', async () => {
    await podmanStore(store);
    const script = `while :; do "$@" info >/dev/null 2>&1; umount -l ${join(store.graphRoot, 'overlay')} 2>/dev/null; done`;
    const args = ['-c', script, 'sh', peerPath('podman'), ...podmanRoots(store)];
    const loop = spawn('/bin/sh', args, { env: { ...process.env, ...store.env }, detached: true });
    try {
      const { driver, temp } = await overlayFixture([], store);
      for (let i = 0; i < 300; i++) {
        const dir = temp.create();
        const tree = dir.stageAddition();
        driver.prepareStaged(tree, {});
        await new Promise((done) => setTimeout(done, 3));
        driver.commitStaged(tree, `layer${i}`, {});
        driver.remove(`layer${i}`, dir);
        dir.cleanup();
      }
      expect(driver.list().filter((id) => id.startsWith('layer'))).toEqual([]);
    } finally {
      if (loop.pid !== undefined) process.kill(-loop.pid, 'SIGKILL');
      await once(loop, 'exit');
      spawnSync('umount', ['-l', join(store.graphRoot, 'overlay')]);
    }
  });

  it('leave a store that podman finds sound, and take away the staging directory it stumbles over', async () => {
    const { image } = await podmanStore(store);
    const { driver, temp } = await overlayFixture([], store);
    const dir = temp.create();
    const tree = dir.stageAddition();
    driver.prepareStaged(tree, { parent: { id: image } });
    dir.cleanup();
    temp.removeRootIfEmpty();
    rmSync(join(driver.home, 'l'), { recursive: true });
    mkdirSync(join(driver.home, 'l'));
    expect((await podman(store, ['mount', 'box'])).stdout).toContain('merged');
    await podman(store, ['umount', 'box']);
  });
});
