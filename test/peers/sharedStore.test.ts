import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diffIDsOf, imageIdOf, sha256 } from '../support/imageArchive.ts';
import {
  containersStorage,
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
} from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { imageNamed, layerChain, readRecords } from '../support/records.ts';
import { mustRun } from '../support/runProgram.ts';
import { sediment, sedimentJson, trySediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';
import { tinyImage } from '../support/tinyImage.ts';
import { compareTrees, listTree } from '../support/treeListing.ts';
import { podmanImages, sedimentImages } from '../support/views.ts';

const NAME = 'localhost/tiny:1';

let store: StoreRoot;
beforeEach(() => {
  if (!peersSkipReason) store = makeStoreRoot();
});
afterEach(() => {
  if (!peersSkipReason) store.dispose();
});

/** A store of podman's making: a loaded image, and one committed from a container of it. */
async function makeWithPodman(): Promise<void> {
  await podman(store, ['load', '--input', writeTinyArchives(store).dockerArchive]);
  await podmanRun(store, ['--name', 'changer', NAME, '/bin/sh', '-c', 'echo committed > /etc/motd']);
  await podman(store, ['commit', 'changer', 'localhost/committed:1']);
}

describe.skipIf(peersSkipReason)(peerTitle('a store that podman made'), () => {
  beforeEach(makeWithPodman);

  it('lists the same images with the same names', async () => {
    const ours = await sedimentImages(store);
    expect(ours).toEqual(await podmanImages(store));
    expect(ours.flatMap(({ names }) => names).sort()).toEqual(['localhost/committed:1', NAME]);
  });

  it('can be mounted: a container of the committed image has its files', async () => {
    const id = (await sediment(store, ['create', 'localhost/committed:1'])).stdout.trim();
    const { stdout } = await sediment(store, ['mount', id], { changesMounts: true });
    expect(readFileSync(join(stdout.trim(), 'etc/motd'), 'utf8')).toBe('committed\n');
    await sediment(store, ['unmount', id], { changesMounts: true });
    await sediment(store, ['rm', id]);
  });

  it('still works for podman after we changed it', async () => {
    await sediment(store, ['tag', 'localhost/committed:1', 'localhost/renamed:2']);
    await sediment(store, ['untag', 'localhost/committed:1', 'localhost/committed:1']);
    await sediment(store, ['create', '--name', 'ours', NAME]);
    const { stdout } = await podmanRun(store, ['--rm', 'localhost/renamed:2', '/bin/cat', '/etc/motd']);
    expect(stdout).toBe('committed\n');
    expect(await podmanImages(store)).toEqual(await sedimentImages(store));
  });

  it('takes a further image from us whose layers it has', async () => {
    const before = readRecords(store).layers.length;
    await sediment(store, ['import', writeTinyArchives(store).dockerArchive, '--name', 'localhost/again:1']);
    expect(readRecords(store).layers).toHaveLength(before);
    expect(await podmanImages(store)).toEqual(await sedimentImages(store));
  });

  it('gives up no image that a container of podman uses', async () => {
    const refused = await trySediment(store, ['rmi', NAME]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('changer');
    expect((await podmanImages(store)).flatMap(({ names }) => names)).toContain(NAME);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('names and removals'), () => {
  beforeEach(async () => {
    await sediment(store, ['import', writeTinyArchives(store).ociArchive]);
  });
  const namesForBoth = async (): Promise<string[]> => {
    const ours = await sedimentImages(store);
    expect(ours).toEqual(await podmanImages(store));
    return ours.flatMap(({ names }) => names).sort();
  };

  it('agree after tags and untags from either side', async () => {
    await sediment(store, ['tag', NAME, 'short', 'localhost/full:2']);
    expect(await namesForBoth()).toEqual(['localhost/full:2', 'localhost/short:latest', NAME]);
    await podman(store, ['tag', NAME, 'localhost/theirs:3']);
    await podman(store, ['untag', NAME, 'localhost/full:2']);
    expect(await namesForBoth()).toEqual(['localhost/short:latest', 'localhost/theirs:3', NAME]);
    await sediment(store, ['untag', NAME, 'localhost/theirs:3']);
    await sediment(store, ['rmi', 'short']);
    expect(await namesForBoth()).toEqual([NAME]);
  });

  it('agree when podman removes our image', async () => {
    await podman(store, ['rmi', NAME]);
    expect(await namesForBoth()).toEqual([]);
    expect(readRecords(store)).toMatchObject({ layers: [], images: [] });
  });

  it('agree when we remove an image that podman uses no more', async () => {
    await podmanRun(store, ['--rm', NAME, '/bin/ls', '/']);
    await sediment(store, ['rmi', NAME]);
    expect(await namesForBoth()).toEqual([]);
    expect(readRecords(store)).toMatchObject({ layers: [], images: [] });
  });

  it('agree when podman moves a name to another image', async () => {
    await podmanRun(store, ['--name', 'changer', NAME, '/bin/sh', '-c', 'echo other > /tmp/other']);
    await podman(store, ['commit', 'changer', NAME]);
    const view = await sedimentImages(store);
    expect(view).toEqual(await podmanImages(store));
    expect(view.map(({ names }) => names).sort()).toEqual([[], [NAME]]);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('digests of an imported image'), () => {
  beforeEach(async () => {
    await sediment(store, ['import', writeTinyArchives(store).ociArchive]);
  });
  const description = tinyImage(NAME);

  it('podman image inspect gives the digests of the archive', async () => {
    const [inspected] = JSON.parse((await podman(store, ['image', 'inspect', NAME])).stdout);
    expect(inspected.Id).toBe(imageIdOf(description));
    expect(inspected.RootFS.Layers).toEqual(diffIDsOf(description));
    const [ours] = await sedimentJson<Array<{ Digest: string }>>(store, ['inspect', NAME]);
    expect(ours?.Digest).toBe(inspected.Digest);
  });

  it('skopeo inspect gives the manifest digest', async () => {
    const theirs = JSON.parse((await skopeo(store, ['inspect', storeReference(store, NAME)])).stdout);
    expect(theirs.Digest).toBe(imageNamed(readRecords(store), NAME).digest);
    const raw = await skopeo(store, ['inspect', '--raw', storeReference(store, NAME)]);
    expect(`sha256:${sha256(Buffer.from(raw.stdout))}`).toBe(theirs.Digest);
  });

  it('podman save writes the layers and the config of the archive', async () => {
    const saved = join(store.path, 'saved.tar');
    await podman(store, ['save', '--output', saved, NAME]);
    const extracted = join(store.path, 'saved');
    mkdirSync(extracted);
    await mustRun('tar', ['--extract', '--file', saved, '--directory', extracted]);
    const [{ Config, Layers }] = JSON.parse(readFileSync(join(extracted, 'manifest.json'), 'utf8'));
    expect(Config).toBe(`${imageIdOf(description)}.json`);
    const digests = (Layers as string[]).map(
      (name) => `sha256:${sha256(readFileSync(join(extracted, name)))}`,
    );
    expect(digests).toEqual(diffIDsOf(description));
  });

  it('skopeo copies it to a directory just as it copies its own import', async () => {
    const ours = join(store.path, 'ours');
    await skopeo(store, ['copy', '--quiet', storeReference(store, NAME), `dir:${ours}`]);
    await using reference = makeStoreRoot();
    const theirs = join(reference.path, 'theirs');
    const source = `oci-archive:${writeTinyArchives(reference).ociArchive}`;
    await skopeo(reference, ['copy', '--quiet', source, storeReference(reference, NAME)]);
    await skopeo(reference, ['copy', '--quiet', storeReference(reference, NAME), `dir:${theirs}`]);
    expect(compareTrees(listTree(ours), listTree(theirs), (_, field) => field === 'mtimeNs')).toEqual([]);
    const { config } = JSON.parse(readFileSync(join(ours, 'manifest.json'), 'utf8'));
    expect(config.digest).toBe(`sha256:${imageIdOf(description)}`);
  });

  it('containers-storage rebuilds each layer to its DiffID', async () => {
    const records = readRecords(store);
    for (const layer of layerChain(records, imageNamed(records, NAME).layer)) {
      const file = join(store.path, `${layer.id}.tar`);
      await containersStorage(store, ['diff', '--uncompressed', '--file', file, layer.id]);
      const hash = createHash('sha256');
      await pipeline(createReadStream(file), hash);
      expect(`sha256:${hash.digest('hex')}`).toBe(layer['diff-digest']);
    }
  });
});
