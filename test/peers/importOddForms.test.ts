import { beforeAll, describe, expect, it } from 'vitest';
import { compareStores } from '../support/compareStores.ts';
import { type ImageLibrary, imageLibrary } from '../support/images/imageLibrary.ts';
import { APP, APP_DOCKER } from '../support/images/savedImages.ts';
import { peersSkipReason, peerTitle, podman, skopeo, storeReference } from '../support/peers.ts';
import { expectFailure } from '../support/refusal.ts';
import { sediment, trySediment } from '../support/sediment.ts';
import { makeStoreRoot } from '../support/storeRoot.ts';
import { snapshotStore } from '../support/storeSnapshot.ts';
import { podmanImages, sedimentImages } from '../support/views.ts';

const NAME = 'localhost/odd-form:1';

const FORMS: Record<string, (library: ImageLibrary) => string> = {
  'zstd:chunked layers': ({ at }) => `oci:${at('oci/chunked')}`,
  'a dir with an OCI manifest': ({ at }) => `dir:${at('dir/gzip')}`,
  'a dir with a Docker manifest': ({ at }) => `dir:${at('dir/v2s2')}`,
  'a dir of podman save': ({ at }) => `dir:${at('dir/podman')}`,
  'a dir with a manifest of schema 1': ({ at }) => `dir:${at('dir/v2s1')}`,
  'a dir with signatures': ({ at }) => `dir:${at('odd/signed')}`,
  'a dir with a manifest list': ({ at }) => `dir:${at('dir/list')}`,
  'an index of buildah': ({ at }) => `oci:${at('oci/index')}`,
  'an archive with an index': ({ at }) => `oci-archive:${at('oci-archive/index.tar')}`,
  'a Docker manifest in an OCI layout': ({ at }) => `oci:${at('odd/v2s2')}`,
  'an OCI image of another store': ({ store }) => storeReference(store, APP),
  'a Docker image of another store': ({ store }) => storeReference(store, APP_DOCKER),
  'sixty layers': ({ at }) => `docker-archive:${at('odd/sixty.tar')}`,
  'no layers': ({ at }) => `oci:${at('odd/empty')}`,
  'no layers in a docker-archive': ({ at }) => `docker-archive:${at('odd/empty.tar')}`,
  'an archive of docker save 25': ({ at }) => `docker-archive:${at('odd/docker25.tar')}`,
  'the same, read as an oci-archive': ({ at }) => `oci-archive:${at('odd/docker25.tar')}`,
  'layers that are symbolic links': ({ at }) => `docker-archive:${at('odd/symlinks.tar')}`,
  'names that begin with a dot': ({ at }) => `docker-archive:${at('odd/dots.tar')}`,
  'names that begin with a dot in an oci-archive': ({ at }) => `oci-archive:${at('odd/dots.oci.tar')}`,
  'no tags': ({ at }) => `docker-archive:${at('odd/untagged.tar')}`,
};

describe.skipIf(peersSkipReason)(peerTitle('sediment import of'), () => {
  let library: ImageLibrary;
  beforeAll(async () => {
    library = await imageLibrary();
  });

  it.concurrent.each(Object.entries(FORMS))('%s makes the store that skopeo makes', async (_, reference) => {
    await using ours = makeStoreRoot();
    await using theirs = makeStoreRoot();
    const from = reference(library);
    const copy = ['copy', '--quiet', from, storeReference(theirs, NAME)];
    await Promise.all([
      sediment(ours, ['import', '--name', NAME, from]),
      skopeo(theirs, copy, { umask: 0o022 }),
    ]);
    expect(compareStores(snapshotStore(ours), snapshotStore(theirs))).toEqual([]);
  });

  // skopeo refuses nested indexes, so there is nothing to compare with
  it('an index in an index finds the image of this machine', async () => {
    await using store = makeStoreRoot();
    await sediment(store, ['import', `oci:${library.at('odd/nested')}`]);
    expect(await podmanImages(store)).toEqual(await sedimentImages(store));
    const { stdout } = await podman(store, ['image', 'inspect', '--format', '{{.Architecture}}', 'odd:1']);
    expect(stdout.trim()).toBe(process.arch === 'x64' ? 'amd64' : process.arch);
  });

  it('an artifact is refused', async () => {
    await using store = makeStoreRoot();
    const result = await trySediment(store, ['import', `oci:${library.at('odd/artifact')}`]);
    expectFailure(result, {
      code: 'ARTIFACT_UNSUPPORTED',
      says: ['artifact with type "application/vnd.example.note"'],
    });
  });
});
