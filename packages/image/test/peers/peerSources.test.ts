/** The suite of all sources, over what other programs wrote. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '@sediment/storage';
import { afterAll, beforeAll, describe } from 'vitest';
import {
  buildah,
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
} from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { openStoreSource } from '../../src/sources/store/openStoreSource.ts';
import { layoutOf } from '../support/layout.ts';
import { describeSource, SOURCE_LAYERS, type SourceFixture } from '../support/sourceSuite.ts';

const NAME = 'localhost/app:1';
const TRANSPORTS = ['oci', 'oci-archive', 'docker-archive', 'dir'] as const;
/** podman's names of the forms, and ours. */
const FORMATS = {
  'docker-archive': 'docker-archive',
  'oci-archive': 'oci-archive',
  'oci-dir': 'oci',
  'docker-dir': 'dir',
} as const;

let root: StoreRoot;

describe.skipIf(peersSkipReason)(peerTitle('images that other programs wrote'), () => {
  let store: Store;

  beforeAll(async () => {
    root = makeStoreRoot();
    const path = layoutOf(SOURCE_LAYERS, 'base').writeTo(join(root.path, 'base'));
    await skopeo(root, ['copy', '-q', `oci:${path}:base`, storeReference(root, NAME)]);
    const { graphRoot, runRoot, driver, env } = root;
    store = await openStore({ graphRoot, runRoot, driver, env: { ...process.env, ...env } });
  });
  afterAll(async () => {
    await store?.close();
    root?.dispose();
  });

  const written = new Map<string, Promise<string>>();

  /** Each is written once; the place is that of the first test that needs it. */
  async function opened(key: string, write: (place: string) => Promise<string>): Promise<SourceFixture> {
    const place = () => join(mkdtempSync(join(root.path, 'w-')), 'image');
    const path = written.get(key) ?? write(place());
    written.set(key, path);
    const source = await openImageSource(await path, { spoolDirectory: root.tmp });
    return { source, [Symbol.asyncDispose]: () => source.close() };
  }

  for (const transport of TRANSPORTS) {
    const names = transport === 'dir' ? [] : [NAME];
    const named = transport === 'dir' ? '' : `:${NAME}`;

    describeSource(`skopeo copy ${transport}`, {
      transport,
      names,
      make: () =>
        opened(`skopeo ${transport}`, async (place) => {
          await skopeo(root, ['copy', '-q', storeReference(root, NAME), `${transport}:${place}${named}`]);
          return `${transport}:${place}`;
        }),
    });

    describeSource(`buildah push ${transport}`, {
      transport,
      names,
      make: () =>
        opened(`buildah ${transport}`, async (place) => {
          await buildah(root, ['push', '-q', NAME, `${transport}:${place}${named}`]);
          return `${transport}:${place}`;
        }),
    });
  }

  for (const [format, transport] of Object.entries(FORMATS)) {
    describeSource(`podman save --format ${format}`, {
      transport,
      names: transport === 'dir' ? [] : [NAME],
      make: () =>
        opened(`podman ${format}`, async (place) => {
          if (format.endsWith('-dir')) mkdirSync(place);
          await podman(root, ['save', '-q', '--format', format, '-o', place, NAME]);
          return place;
        }),
    });
  }

  describeSource('a store of skopeo', {
    transport: 'containers-storage',
    names: [NAME],
    make: async () => {
      const source = await openStoreSource(store);
      return { source, [Symbol.asyncDispose]: () => source.close() };
    },
  });
});
