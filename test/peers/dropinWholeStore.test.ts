import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDropin } from '../support/dropin.ts';
import { mountsBelow } from '../support/mounts.ts';
import { containersStorage, peersSkipReason, peerTitle, withRoots } from '../support/peers.ts';
import { bigDataFile } from '../support/records.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { layerTree } from '../support/storeSnapshot.ts';
import { tarOf } from '../support/tarWriter.ts';
import { type Outcome, type Step, TwinStores } from '../support/twinStores.ts';

const content = tarOf([
  { name: 'etc/', type: 'directory' },
  { name: 'etc/motd', content: 'hello\n' },
  { name: 'etc/copy', content: 'hello\n' },
]);

const seed = (file: string): Step[] => [
  [['import-layer', '--id', 'base', '-f', file]],
  [['create-layer', '--id', 'top', 'base']],
  [['create-layer', '--id', 'unused']],
  [['create-image', '--id', 'picture', '--name', 'drawn', 'top']],
  [['set-image-data', '-f', file, 'picture', 'manifest']],
  [['create-container', '--id', 'box', 'picture']],
  [['set-container-data', '-f', file, 'box', 'some notes']],
  [['get-container-run-dir', 'box']],
];

/** A store of the Go program's making, and our command on it. */
class PeersStore implements AsyncDisposable {
  readonly store: StoreRoot;

  constructor(driver: DriverName = 'overlay') {
    this.store = makeStoreRoot({ driver });
  }

  async seed(): Promise<void> {
    const file = join(this.store.path, 'content');
    writeFileSync(file, content);
    for (const [args] of seed(file)) await this.go(...args);
  }

  /** What the Go program prints. */
  async go(...args: string[]): Promise<string> {
    return (await containersStorage(this.store, args)).stdout;
  }

  async ours(...args: string[]): Promise<Outcome> {
    const { stdout, stderr, exitCode } = await runDropin(this.store, withRoots(this.store, args));
    return { stdout, stderr, exitCode };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.dispose();
  }
}

/** Mounts of layers; the Go command has made the driver's home a mount, which a shutdown that failed leaves. */
function layersMounted({ graphRoot }: StoreRoot): string[] {
  const points = mountsBelow(graphRoot).map(({ mountPoint }) => mountPoint);
  return points.filter((point) => point !== join(graphRoot, 'overlay'));
}

const silent: Outcome = { stdout: '', stderr: '', exitCode: 0 };
const sums = (layers: number, images: number, containers: number): string =>
  `${layers} layer errors, 0 read-only layer errors, ${images} image errors, 0 read-only image errors, ${containers} container errors\n`;

describe.skipIf(peersSkipReason).each<DriverName>(['overlay', 'vfs'])(
  peerTitle('a whole store, on %s'),
  (driver) => {
    it('is wiped as by the Go command', async () => {
      await using twins = new TwinStores({ driver });
      const file = twins.file('content', content);
      expect(
        await twins.run([
          ...seed(file),
          [['mount', 'box', 'top']],
          [['wipe']],
          [['wipe', '-j']],
          [['layers', '-j'], { contract: { stdout: 'null\n' } }],
          [['containers', '-j']],
          [['shutdown']],
          ...seed(file),
        ]),
      ).toEqual([]);
      expect(twins.compare()).toEqual([]);
    });

    it('is sound when the Go command made it, and when it was mounted meanwhile', async () => {
      await using made = new PeersStore(driver);
      await made.seed();
      expect(await made.ours('check')).toEqual(silent);
      expect(await made.ours('check', '-q', '--json', '--max=90m')).toEqual({
        ...silent,
        stdout: '{"Layers":{},"ROLayers":{},"Images":{},"ROImages":{},"Containers":{}}\n',
      });
      await made.go('mount', 'box');
      const stderr = 'shutdown: a layer is mounted: layer is in use by a container\n';
      expect(await made.ours('check', '--quick')).toEqual({ ...silent, stderr });
      expect(layersMounted(made.store)).toEqual([]);
    });

    it('shows damage, and is rid of it after a repair', async () => {
      await using made = new PeersStore(driver);
      await made.seed();
      appendFileSync(join(layerTree(made.store, 'base'), 'etc/motd'), 'damage');
      const damaged = await made.ours('check', '-m', '0');
      expect(damaged.exitCode).toBe(1);
      expect(damaged.stdout).toContain('layer base:\n layer base: ');
      expect(damaged.stdout).toContain('layer unused: layer not referenced by any images or containers\n');
      expect(damaged.stdout).toContain('image picture:\n layer base: ');
      expect(damaged.stderr).toMatch(/^\d layer errors, .* 1 image errors, .* 1 container errors\n$/);
      expect(await made.go('images', '-q')).toBe('picture\n');
      const repaired = await made.ours('check', '--force', '--max', '0');
      expect(repaired).toMatchObject({ stderr: '', exitCode: 0 });
      for (const list of ['layers', 'images', 'containers']) expect(await made.go(list)).toBe('');
      expect(await made.ours('check')).toEqual(silent);
    });
  },
);

describe.skipIf(peersSkipReason)(peerTitle('the checks of a store that the Go command made'), () => {
  it('find items that are gone or of another size', async () => {
    await using made = new PeersStore();
    await made.seed();
    const { graphRoot } = made.store;
    appendFileSync(join(graphRoot, 'overlay-images/picture/manifest'), ' ');
    rmSync(join(graphRoot, 'overlay-containers/box', bigDataFile('some notes')));
    expect(await made.ours('check')).toEqual({
      stdout: [
        'image picture:\n image picture: data item "manifest": image data item has incorrect size\n',
        'container box:\n container box: data item "some notes": container data item is missing\n',
        ' image picture: data item "manifest": image data item has incorrect size\n',
      ].join(''),
      stderr: sums(0, 1, 1),
      exitCode: 1,
    });
    expect(await made.ours('check', '-r', '-q')).toMatchObject({
      stderr: expect.stringMatching(/image used by box: image is in use by a container\n$/),
      exitCode: 1,
    });
    expect(await made.go('images', '-q')).toBe('picture\n');
    expect(await made.ours('check', '-f', '-q', '-j')).toMatchObject({ stderr: '', exitCode: 0 });
    expect(await made.go('images', '-q')).toBe('');
  });

  it('find layers without a record, and records without a layer', async () => {
    await using made = new PeersStore();
    await made.seed();
    expect(await made.ours('create-storage-layer', '--id', 'stray')).toMatchObject({ stdout: 'stray\n' });
    await made.go('delete', 'base');
    const { stdout, exitCode } = await made.ours('check', '-q');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('layer stray: layer in lower level storage driver not accounted for\n');
    expect(stdout).toContain('layer base: layer is missing\n');
    expect(await made.ours('check', '-j')).toMatchObject({
      stdout: expect.stringContaining('"stray":[{}]'),
      exitCode: 1,
    });
  });

  it('refuse ages that are none', async () => {
    await using made = new PeersStore();
    const refused = async (age: string): Promise<string> => (await made.ours('check', '-m', age)).stderr;
    expect(await refused('soon')).toBe('time: invalid duration "soon"\n');
    expect(await refused('5')).toBe('time: missing unit in duration "5"\n');
    expect(await refused('5d')).toBe('time: unknown unit "d" in duration "5d"\n');
    expect(await made.ours('check', '-m', '1h2m3.5s')).toEqual(silent);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('garbage'), () => {
  it('goes, and what the Go command has stays', async () => {
    await using made = new PeersStore();
    await made.seed();
    const { graphRoot } = made.store;
    const before = await made.go('layers', '-j');
    const stray = 'ab'.repeat(32);
    await made.ours('create-storage-layer', '--id', stray);
    for (const kind of ['images', 'containers'])
      mkdirSync(join(graphRoot, `overlay-${kind}`, stray, 'userdata'), { recursive: true });
    expect(await made.ours('gc')).toEqual(silent);
    expect(await made.ours('gc', '--json')).toEqual({ ...silent, stdout: '""\n' });
    expect(existsSync(join(graphRoot, 'overlay', stray))).toBe(false);
    expect(readdirSync(join(graphRoot, 'overlay-images'))).not.toContain(stray);
    expect(readdirSync(join(graphRoot, 'overlay-containers'))).not.toContain(stray);
    expect(await made.go('layers', '-j')).toBe(before);
    await made.go('mount', 'box');
    const stderr = 'shutdown: a layer is mounted: layer is in use by a container\n';
    expect(await made.ours('gc')).toEqual({ ...silent, stderr });
    expect(layersMounted(made.store)).toEqual([]);
    expect(await made.go('mounted', 'box')).toBe('');
  });
});

describe.skipIf(peersSkipReason)(peerTitle('equal files of a store that the Go command made'), () => {
  it('are not shared where the file system cannot', async () => {
    await using made = new PeersStore();
    await made.seed();
    expect(await made.ours('dedup')).toEqual({ ...silent, stdout: 'Deduplicated 0 bytes\n' });
    expect(await made.ours('dedup', '-j', '--hash-method=size')).toEqual({
      ...silent,
      stdout: '{"Deduped":0}\n',
    });
    expect(await made.ours('dedup', '--hash-method', 'sha256')).toEqual({
      ...silent,
      stdout: 'Deduplicated 0 bytes\n',
    });
    expect(await made.ours('dedup', '--hash-method', 'md5')).toEqual({
      ...silent,
      stderr: 'invalid hash method: md5\n',
      exitCode: 1,
    });
  });
});

describe.skipIf(peersSkipReason)(peerTitle('a layer from a staged directory'), () => {
  it('is what the Go command makes of the same files as an archive', async () => {
    await using twins = new TwinStores();
    twins.inBoth(({ path }) => {
      mkdirSync(join(path, 'staged/etc'), { recursive: true });
      writeFileSync(join(path, 'staged/etc/motd'), 'hello\n');
    });
    const conf = twins.file(
      'partial.conf',
      '[storage]\ndriver = "overlay"\n[storage.options]\npull_options = {enable_partial_images = "true"}\n',
    );
    expect(
      await twins.run([
        [['create-layer', '--id', 'layer']],
        [
          ['applydiff-using-staging-dir', 'layer', '{DIR}/staged'],
          {
            oursAlone: true,
            env: { CONTAINERS_STORAGE_CONF: conf },
            contract: { stdout: '', stderr: '', exitCode: 0 },
          },
        ],
      ]),
    ).toEqual([]);
    const [, ours] = twins.stores;
    const listed = await containersStorage(ours, ['changes', 'layer']);
    expect(listed.stdout.split('\n').sort()).toEqual(['', 'Add "/etc"', 'Add "/etc/motd"']);
  });
});
