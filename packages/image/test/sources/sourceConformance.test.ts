import { gzipSync } from 'node:zlib';
import { openStore, type Store } from '@sediment/storage';
import { afterAll, beforeAll, describe } from 'vitest';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { importImage } from '../../src/import/importImage.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { openStoreSource } from '../../src/sources/store/openStoreSource.ts';
import { writeDirImage } from '../support/dirImage.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { Layout, layoutOf, named } from '../support/layout.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { describeSource, SOURCE_LAYERS, type SourceFixture } from '../support/sourceSuite.ts';

const NAME = 'localhost/app:1';
const isRoot = process.getuid?.() === 0;

async function opened(reference: string): Promise<SourceFixture> {
  const source = await openImageSource(reference);
  return { source, [Symbol.asyncDispose]: () => source.close() };
}

/** A layout whose layers are stored compressed. */
function compressedLayout(): { layout: Layout; top: ReturnType<Layout['image']> } {
  const layout = new Layout();
  const blobs = SOURCE_LAYERS.map((layer) => gzipSync(layer));
  const top = layout.image({ layers: SOURCE_LAYERS, blobs }, named(NAME));
  return { layout: layout.entries(top), top };
}

describeSource('oci', {
  transport: 'oci',
  names: [NAME],
  make: () => opened(`oci:${layoutOf(SOURCE_LAYERS, NAME).writeTo(scratch())}`),
});

describeSource('oci with compressed layers, found by its content', {
  transport: 'oci',
  names: [NAME],
  make: () => opened(compressedLayout().layout.writeTo(scratch())),
});

describeSource('oci-archive', {
  transport: 'oci-archive',
  names: [NAME],
  make: () => opened(`oci-archive:${scratchFile(layoutOf(SOURCE_LAYERS, NAME).tar())}`),
});

describeSource('oci-archive, compressed', {
  transport: 'oci-archive',
  names: [NAME],
  make: () => opened(scratchFile(gzipSync(layoutOf(SOURCE_LAYERS, NAME).tar()))),
});

describeSource('docker-archive', {
  transport: 'docker-archive',
  names: [NAME],
  make: () =>
    opened(`docker-archive:${scratchFile(dockerArchive([{ layers: SOURCE_LAYERS, tags: [NAME] }]))}`),
});

describeSource('docker-archive with compressed layers, compressed', {
  transport: 'docker-archive',
  names: [NAME],
  make: () => {
    const blobs = SOURCE_LAYERS.map((layer) => gzipSync(layer));
    const bytes = dockerArchive([{ layers: SOURCE_LAYERS, blobs, tags: [NAME] }]);
    return opened(`docker-archive:${scratchFile(gzipSync(bytes))}`);
  },
});

describeSource('dir', {
  transport: 'dir',
  names: [],
  make: () => {
    const { layout, top } = compressedLayout();
    return opened(`dir:${writeDirImage(scratch(), layout, top)}`);
  },
});

describeSource('dir, found by its content', {
  transport: 'dir',
  names: [],
  make: () => {
    const { layout, top } = compressedLayout();
    return opened(writeDirImage(scratch(), layout, top));
  },
});

describe.skipIf(!isRoot).each(['overlay', 'vfs'] as const)('a store with %s (needs root)', (driver) => {
  let root: StoreRoot;
  let store: Store;

  beforeAll(async () => {
    root = makeStoreRoot({ driver });
    const { graphRoot, runRoot } = root;
    store = await openStore({ graphRoot, runRoot, driver, onWarning: () => undefined });
    const path = scratchFile(compressedLayout().layout.tar());
    await importImage(store, path, { names: [NAME], platform: 'linux/amd64' });
  });
  afterAll(async () => {
    await store?.close();
    root?.dispose();
  });

  describeSource('containers-storage', {
    transport: 'containers-storage',
    names: [NAME],
    make: async () => {
      const source = await openStoreSource(store);
      return { source, [Symbol.asyncDispose]: () => source.close() };
    },
  });
});
