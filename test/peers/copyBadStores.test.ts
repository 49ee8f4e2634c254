import { appendFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImageLibrary, imageLibrary } from '../support/images/imageLibrary.ts';
import { pathIn } from '../support/images/references.ts';
import { peersSkipReason, peerTitle, skopeo, storeReference } from '../support/peers.ts';
import { imageNamed, layerChain, readRecords } from '../support/records.ts';
import { expectFailure } from '../support/refusal.ts';
import { sediment, startSediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { layerTree } from '../support/storeSnapshot.ts';

const NAME = 'localhost/odd:1';

interface BadReference {
  title: string;
  from: (store: StoreRoot) => string;
  code: string;
  says: string;
  /** What skopeo says of the same. */
  peer: string;
}

const REFERENCES: BadReference[] = [
  {
    title: 'an image that the store has not',
    from: (store) => storeReference(store, 'localhost/none:1'),
    code: 'IMAGE_UNKNOWN',
    says: 'does not resolve to an image ID',
    peer: 'does not resolve to an image ID',
  },
  {
    title: 'a store at a relative path',
    from: () => `containers-storage:[overlay@graph+run]${NAME}`,
    code: 'REFERENCE_INVALID',
    says: 'path name is not absolute',
    peer: 'path name is not absolute',
  },
  {
    title: 'a store whose part is not closed',
    from: () => `containers-storage:[overlay@/graph+/run`,
    code: 'REFERENCE_INVALID',
    says: 'containers-storage:[overlay@/graph+/run',
    peer: 'invalid reference',
  },
  {
    title: 'a name in upper case',
    from: (store) => storeReference(store, 'UPPER'),
    code: 'REFERENCE_INVALID',
    says: 'repository name must be lowercase',
    peer: 'repository name must be lowercase',
  },
  {
    title: 'an id that is none',
    from: (store) => storeReference(store, '@xyz'),
    code: 'REFERENCE_INVALID',
    says: 'does not look like an image ID or digest',
    peer: 'does not look like an image ID or digest',
  },
  {
    title: 'a transport that nobody knows',
    from: () => 'carrier-pigeon:image',
    code: 'TRANSPORT_UNKNOWN',
    says: 'unknown transport',
    peer: 'unknown transport',
  },
  {
    title: 'no transport',
    from: () => 'image',
    code: 'REFERENCE_INVALID',
    says: 'Invalid image name "image", expected colon-separated transport:reference',
    peer: 'expected colon-separated transport:reference',
  },
];

describe.skipIf(peersSkipReason)(peerTitle('an image in a store that cannot be copied'), () => {
  let library: ImageLibrary;
  let store: StoreRoot;
  beforeAll(async () => {
    library = await imageLibrary();
    store = makeStoreRoot();
    await sediment(store, ['import', `oci:${library.at('odd/v2s2')}`]);
  });
  afterAll(() => store?.dispose());

  const theirs = (from: string) =>
    skopeo(store, ['copy', '--quiet', from, `dir:${pathIn(store, 'theirs')}`], { mayFail: true });

  /** That a copy of the image fails, here and with skopeo, and that ours leaves nothing. */
  async function expectRefused(
    from: string,
    expected: { code: string; says: string[]; peer: string },
  ): Promise<void> {
    const result = await startSediment(store, ['copy', from, `oci:${pathIn(store, 'made')}:x`]);
    expectFailure(result, expected);
    expect(readdirSync(store.path)).not.toContain('made');
    const { exitCode, stderr } = await theirs(from);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(expected.peer) });
  }

  it.each(REFERENCES)('$title', async ({ from, code, says, peer }) => {
    await expectRefused(from(store), { code, says: [says], peer });
  });

  it('signatures, where the destination cannot hold them', async () => {
    const from = `dir:${library.at('odd/signed')}`;
    for (const form of ['oci', 'oci-archive', 'docker-archive']) {
      const to = `${form}:${pathIn(store, 'made')}:x`;
      expectFailure(await startSediment(store, ['copy', from, to]), {
        code: 'SIGNATURES_UNSUPPORTED',
        says: [],
      });
      expect(readdirSync(store.path)).not.toContain('made');
      await sediment(store, ['copy', '--remove-signatures', from, to]);
      rmSync(pathIn(store, 'made'), { recursive: true });
    }
  });

  it('a file that was changed in the store', async () => {
    await using other = makeStoreRoot();
    await sediment(other, ['import', `oci:${library.at('odd/v2s2')}`]);
    appendFileSync(join(layerTree(other, topLayer(other)), 'three'), 'changed');
    await expectRefused(storeReference(other, NAME), {
      code: 'FILE_INTEGRITY',
      says: ['three'],
      peer: 'file integrity checksum failed for \\"three\\"',
    });
  });
});

function topLayer(store: StoreRoot): string {
  const records = readRecords(store);
  return layerChain(records, imageNamed(records, NAME).layer).at(-1)?.id as string;
}
