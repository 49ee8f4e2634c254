import { beforeAll, describe, expect, it } from 'vitest';
import { type ImageLibrary, imageLibrary } from '../support/images/imageLibrary.ts';
import { type ImageFacts, readImage } from '../support/images/readImage.ts';
import { DESTINATIONS, type DestinationForm, referenceIn } from '../support/images/references.ts';
import { APP, APP_DOCKER } from '../support/images/savedImages.ts';
import { peersSkipReason, peerTitle, skopeo, storeReference } from '../support/peers.ts';
import { sediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

const NAME = 'localhost/copied:1';

/** Where images come from, by what they are there. */
const SOURCES: Record<string, (library: ImageLibrary) => string> = {
  'a docker-archive': ({ at }) => `docker-archive:${at('docker-archive/podman.tar')}`,
  'an OCI layout with gzip': ({ at }) => `oci:${at('oci/gzip')}`,
  'an OCI layout with zstd:chunked': ({ at }) => `oci:${at('oci/chunked')}`,
  'an OCI layout with plain layers': ({ at }) => `oci:${at('oci/none')}`,
  'an OCI layout with a Docker manifest': ({ at }) => `oci:${at('odd/v2s2')}`,
  'an oci-archive with zstd': ({ at }) => `oci-archive:${at('oci-archive/zstd.tar')}`,
  'a dir with an OCI manifest': ({ at }) => `dir:${at('dir/gzip')}`,
  'a dir with a Docker manifest': ({ at }) => `dir:${at('dir/v2s2')}`,
  'a store, an OCI image': ({ store }) => storeReference(store, APP),
  'a store, a Docker image': ({ store }) => storeReference(store, APP_DOCKER),
};

/** What of two images is compared with what skopeo makes of the same. */
const FIELDS = {
  manifestType: (image: ImageFacts) => image.manifestType,
  config: (image: ImageFacts) => image.config,
  diffIDs: (image: ImageFacts) => image.diffIDs,
  annotations: (image: ImageFacts) => image.annotations,
  compressions: (image: ImageFacts) => image.compressions,
  mediaTypes: (image: ImageFacts) => image.layers.map(({ mediaType }) => mediaType),
  digests: (image: ImageFacts) => [image.digest, image.layers.map(({ digest }) => digest)],
};

type Difference = keyof typeof FIELDS | 'failure';

/** Where ours is not what skopeo makes. The first rule that fits counts; without one, all is equal. */
const DIFFERENCES: Array<{ from: RegExp; to: RegExp; fields: Difference[]; why: string }> = [
  {
    from: /zstd/,
    to: /^docker-archive/,
    fields: ['failure'],
    why: 'skopeo has no name for zstd there; ours are plain',
  },
  {
    from: /plain layers/,
    to: /^oci/,
    fields: ['compressions', 'mediaTypes', 'digests'],
    why: 'skopeo compresses them; ours stay',
  },
  {
    from: /layout with a Docker manifest/,
    to: /^oci/,
    fields: ['manifestType', 'compressions', 'mediaTypes', 'digests'],
    why: 'skopeo converts the manifest and compresses; ours stay as they are',
  },
  {
    from: /dir with a Docker manifest/,
    to: /^oci/,
    fields: ['manifestType', 'config', 'mediaTypes', 'digests'],
    why: 'skopeo converts manifest and config; ours stay as they are',
  },
  {
    from: /docker-archive|a Docker image/,
    to: /^oci/,
    fields: ['config', 'digests'],
    why: 'skopeo writes the config anew, and with it the id; our gzip is another one',
  },
  {
    from: /^a docker-archive/,
    to: /^dir/,
    fields: ['mediaTypes', 'digests'],
    why: 'skopeo says gzip of layers that are plain; ours says what they are',
  },
  { from: /an OCI image/, to: /^oci/, fields: ['digests'], why: 'our gzip is another one' },
];

/** Whether a source has a manifest and layers of its own, which the destination can hold as they are. */
function keepsManifest(title: string, form: DestinationForm): boolean {
  if (form === 'docker-archive') return false;
  return form === 'containers-storage' || !/^a docker-archive|^a store/.test(title);
}

function differencesOf(ours: ImageFacts, theirs: ImageFacts | undefined): Difference[] {
  if (theirs === undefined) return ['failure'];
  return (Object.keys(FIELDS) as (keyof typeof FIELDS)[]).filter(
    (field) => JSON.stringify(FIELDS[field](ours)) !== JSON.stringify(FIELDS[field](theirs)),
  );
}

/** Files hold one image, and skopeo of that time does not find a Docker manifest in a layout by its name. */
function readable(store: StoreRoot, form: DestinationForm): string {
  return referenceIn(store, form, form === 'containers-storage' ? { name: NAME } : {});
}

describe.skipIf(peersSkipReason)(peerTitle('sediment copy'), () => {
  let library: ImageLibrary;
  const sources = new Map<string, ImageFacts>();
  beforeAll(async () => {
    library = await imageLibrary();
    for (const [title, reference] of Object.entries(SOURCES)) {
      sources.set(title, await readImage(library.store, reference(library)));
    }
  });

  /** What skopeo makes of an image; undefined when it cannot. */
  async function copyOfSkopeo(from: string, form: DestinationForm): Promise<ImageFacts | undefined> {
    await using store = makeStoreRoot();
    const to = referenceIn(store, form, { name: NAME });
    const { exitCode } = await skopeo(store, ['copy', '--quiet', from, to], { mayFail: true });
    return exitCode === 0 ? await readImage(store, readable(store, form)) : undefined;
  }

  async function copyOfOurs(from: string, form: DestinationForm): Promise<ImageFacts> {
    await using store = makeStoreRoot();
    const to = referenceIn(store, form, { name: NAME });
    await sediment(store, ['copy', from, to]);
    return await readImage(store, readable(store, form));
  }

  const pairs = Object.keys(SOURCES).flatMap((title) => DESTINATIONS.map((form) => [title, form] as const));
  it.concurrent.each(pairs)('%s to %s', async (title, form) => {
    const from = SOURCES[title]?.(library) as string;
    const source = sources.get(title) as ImageFacts;
    const [ours, theirs] = await Promise.all([copyOfOurs(from, form), copyOfSkopeo(from, form)]);
    expect(ours.config).toBe(source.config);
    expect(ours.diffIDs).toEqual(source.diffIDs);
    const rule = DIFFERENCES.find(({ from, to }) => from.test(title) && to.test(form));
    expect(differencesOf(ours, theirs)).toEqual(rule?.fields ?? []);
    if (keepsManifest(title, form)) expect(ours.manifest).toBe(source.manifest);
  });
});
