import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ImageLibrary, imageLibrary } from '../support/images/imageLibrary.ts';
import { blobsOf, entriesOf, keptLayout, layoutDefects } from '../support/images/keptLayout.ts';
import { SIGNATURES } from '../support/images/oddImages.ts';
import { readImage } from '../support/images/readImage.ts';
import { referenceIn } from '../support/images/references.ts';
import { APP, LIST } from '../support/images/savedImages.ts';
import { peersSkipReason, peerTitle, podman, skopeo, umoci } from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { sediment, sedimentJson } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { podmanImages, sedimentImages } from '../support/views.ts';

const NAME = 'localhost/kept:1';
/** Images with layers of every compression, with each kind of manifest. */
const SOURCES: Record<string, string> = {
  'gzip layers': 'oci:oci/gzip',
  'zstd layers': 'oci-archive:oci-archive/zstd.tar',
  'zstd:chunked layers': 'oci:oci/chunked',
  'plain layers': 'oci:oci/none',
  'a Docker manifest': 'dir:dir/v2s2',
  'a Docker manifest in an OCI layout': 'oci:odd/v2s2',
  'sixty layers': 'oci:odd/sixty',
  'no layers': 'oci:odd/empty',
};

function nameOf({ annotations }: { annotations?: Record<string, string> }): string | undefined {
  return annotations?.['org.opencontainers.image.ref.name'];
}

describe.skipIf(peersSkipReason)(peerTitle('an image that is imported with its blobs'), () => {
  let library: ImageLibrary;
  beforeAll(async () => {
    library = await imageLibrary();
  });

  const reference = (source: string): string => {
    const [transport, path = ''] = source.split(':');
    return `${transport}:${library.at(path)}`;
  };

  const keep = (store: StoreRoot, source: string, ...options: string[]) =>
    sediment(store, ['import', '--keep-blobs', '--name', NAME, ...options, reference(source)]);

  it.concurrent.each(Object.entries(SOURCES))('with %s comes out byte for byte', async (_, source) => {
    await using store = makeStoreRoot();
    await keep(store, source);
    const original = await readImage(store, reference(source));
    const layout = keptLayout(store);
    expect(layoutDefects(layout)).toEqual([]);
    // not by name: skopeo of that time does not find a Docker manifest in a layout by its name
    expect(await readImage(store, `oci:${layout}`)).toEqual(original);
    expect(entriesOf(layout).map(nameOf)).toEqual([NAME]);
    const archive = referenceIn(store, 'oci-archive', { path: 'archive' });
    await sediment(store, ['export', NAME, archive]);
    expect(await readImage(store, archive)).toEqual(original);
    const directory = referenceIn(store, 'dir', { path: 'directory' });
    await sediment(store, ['copy', '--preserve-digests', `containers-storage:${NAME}`, directory]);
    expect(await readImage(store, directory)).toEqual(original);
  });

  it('is used by podman, and comes out byte for byte afterwards', async () => {
    await using store = makeStoreRoot();
    await keep(store, SOURCES['zstd:chunked layers'] as string);
    const original = await readImage(store, reference(SOURCES['zstd:chunked layers'] as string));
    const run = await podmanRun(store, ['--name', 'box', NAME, '/bin/cat', '/opt/own']);
    expect(run.stdout).toBe(`of ${APP}\n`);
    await podman(store, ['commit', '--quiet', 'box', 'localhost/committed:1']);
    await podman(store, ['rm', 'box']);
    await podman(store, ['tag', NAME, 'localhost/other:1']);
    await podman(store, ['rmi', 'localhost/committed:1']);
    await podman(store, ['system', 'prune', '--force']);
    expect(await podmanImages(store)).toEqual(await sedimentImages(store));
    const to = referenceIn(store, 'oci-archive', { name: NAME });
    await sediment(store, ['export', NAME, to]);
    expect(await readImage(store, to)).toEqual(original);
    await sediment(store, ['check']);
  });

  it('keeps the signatures of the image', async () => {
    await using store = makeStoreRoot();
    await keep(store, 'dir:odd/signed');
    const to = referenceIn(store, 'dir');
    await sediment(store, ['export', NAME, to]);
    const signatures = [1, 2].map((i) => readFileSync(join(store.path, 'copy', `signature-${i}`)));
    expect(signatures).toEqual(SIGNATURES);
    // as skopeo has it from such a store
    const theirs = join(store.path, 'theirs');
    await skopeo(store, [
      'copy',
      '--quiet',
      referenceIn(store, 'containers-storage', { name: NAME }),
      `dir:${theirs}`,
      '--remove-signatures',
    ]);
    expect(existsSync(join(theirs, 'signature-1'))).toBe(false);
  });

  it('keeps all platforms on request', async () => {
    await using store = makeStoreRoot();
    await sediment(store, ['import', '--keep-blobs', '--all-platforms', reference('oci:oci/index')]);
    expect(layoutDefects(keptLayout(store), 'all')).toEqual([]);
    const to = referenceIn(store, 'oci', { name: LIST });
    await sediment(store, ['export', '--all-platforms', LIST, to]);
    const index = async (place: string) => (await skopeo(store, ['inspect', '--raw', place])).stdout;
    expect(await index(to)).toBe(await index(reference('oci:oci/index')));
    expect(blobsOf(join(store.path, 'copy'))).toEqual(blobsOf(library.at('oci/index')));
  });

  it('is a layout that umoci unpacks in place', async () => {
    await using store = makeStoreRoot();
    await keep(store, 'oci:oci/gzip');
    const layout = keptLayout(store);
    const before = blobsOf(layout);
    const bundle = join(store.path, 'bundle');
    await umoci(['unpack', '--image', `${layout}:${NAME}`, bundle]);
    expect(readFileSync(join(bundle, 'rootfs/opt/own'), 'utf8')).toBe(`of ${APP}\n`);
    expect((await umoci(['list', '--layout', layout])).stdout).toContain(NAME);
    expect(blobsOf(layout)).toEqual(before);
  });

  it('follows the names of the image', async () => {
    await using store = makeStoreRoot();
    await keep(store, 'oci:oci/gzip');
    await sediment(store, ['tag', NAME, 'localhost/second:1']);
    await sediment(store, ['untag', NAME, NAME]);
    expect(entriesOf(keptLayout(store)).map(nameOf)).toEqual(['localhost/second:1']);
  });

  it('goes with the image, but for what another one needs', async () => {
    await using store = makeStoreRoot();
    await keep(store, 'oci:oci/gzip');
    await sediment(store, [
      'import',
      '--keep-blobs',
      '--name',
      'localhost/chunked:1',
      reference('oci:oci/chunked'),
    ]);
    await sediment(store, ['import', '--keep-blobs', reference('oci:odd/v2s2')]);
    await sediment(store, ['rmi', 'localhost/odd:1']);
    expect(layoutDefects(keptLayout(store))).toEqual([]);
    expect(entriesOf(keptLayout(store)).length).toBeGreaterThan(0);
    await sediment(store, ['rmi', NAME, 'localhost/chunked:1']);
    expect(blobsOf(keptLayout(store))).toEqual([]);
    expect(await sedimentJson(store, ['blobs', 'list'])).toEqual([]);
  });
});
