import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { debootstrapImage, type ImageFiles } from '../support/debootstrapImage.ts';
import { blobsOf, layoutDefects } from '../support/images/keptLayout.ts';
import { pathIn, referenceIn } from '../support/images/references.ts';
import { peersSkipReason, peerTitle, podman, skopeo, storeReference } from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { sediment } from '../support/sediment.ts';
import { makeStoreRoot } from '../support/storeRoot.ts';

describe.skipIf(peersSkipReason)(peerTitle('a Debian with apt layers'), () => {
  let image: ImageFiles;
  beforeAll(async () => {
    image = await debootstrapImage();
  });

  /** The blobs of the archive that buildah wrote. */
  function blobsOfArchive(): string[] {
    const names = execFileSync('tar', ['--list', '--file', image.ociArchive], { encoding: 'utf8' }).split(
      '\n',
    );
    return names.flatMap((name) => /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1] ?? []).sort();
  }

  it('leaves the store with the blobs that it came with, after podman used it', async () => {
    await using store = makeStoreRoot();
    await sediment(store, ['import', '--keep-blobs', image.ociArchive]);
    await podmanRun(store, ['--rm', image.name, '/usr/bin/apt-get', '--version']);
    await podman(store, ['system', 'prune', '--force']);
    await sediment(store, ['export', image.name, referenceIn(store, 'oci')]);
    // blobs are named by their digests, and have these
    expect(layoutDefects(pathIn(store, 'copy'))).toEqual([]);
    expect(blobsOf(pathIn(store, 'copy'))).toEqual(blobsOfArchive());
  });

  it('leaves the store as the archive that buildah wrote, byte for byte, made anew from its files', async () => {
    await using store = makeStoreRoot();
    await sediment(store, ['import', image.ociArchive]);
    await sediment(store, ['export', image.name, referenceIn(store, 'docker-archive')]);
    execFileSync('cmp', [pathIn(store, 'copy'), image.dockerArchive]);
  });

  it('is in layers of zstd what it was, to skopeo', async () => {
    await using store = makeStoreRoot();
    const layout = referenceIn(store, 'oci', { name: image.name });
    await sediment(store, ['copy', '--compression', 'zstd', `docker-archive:${image.dockerArchive}`, layout]);
    expect(layoutDefects(pathIn(store, 'copy'))).toEqual([]);
    await skopeo(store, ['copy', '--quiet', layout, storeReference(store, image.name)]);
    const { stdout } = await skopeo(store, [
      'inspect',
      '--raw',
      '--config',
      storeReference(store, image.name),
    ]);
    expect(JSON.parse(stdout).rootfs).toEqual(
      JSON.parse(
        (await skopeo(store, ['inspect', '--raw', '--config', `oci-archive:${image.ociArchive}`])).stdout,
      ).rootfs,
    );
  });
});
