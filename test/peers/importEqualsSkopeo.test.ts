import { beforeAll, describe, expect, it } from 'vitest';
import { compareStores } from '../support/compareStores.ts';
import { debootstrapImage, type ImageFiles } from '../support/debootstrapImage.ts';
import { peersSkipReason, peerTitle, skopeo, storeReference } from '../support/peers.ts';
import { sediment } from '../support/sediment.ts';
import { type DriverName, makeStoreRoot, type StoreRootOptions } from '../support/storeRoot.ts';
import { type StoreSnapshot, snapshotStore } from '../support/storeSnapshot.ts';
import type { TreeEntry } from '../support/treeListing.ts';

type Form = 'oci-archive' | 'docker-archive';

/** The store that skopeo makes of the image, with the umask that it is meant to run with. */
async function importWithSkopeo(
  image: ImageFiles,
  form: Form,
  where: StoreRootOptions,
): Promise<StoreSnapshot> {
  await using store = makeStoreRoot(where);
  const source = `${form}:${fileOf(image, form)}:${image.name}`;
  await skopeo(store, ['copy', '--quiet', source, storeReference(store, image.name)], { umask: 0o022 });
  return snapshotStore(store);
}

async function importWithSediment(
  image: ImageFiles,
  form: Form,
  { umask, ...where }: StoreRootOptions & { umask: number },
): Promise<StoreSnapshot> {
  await using store = makeStoreRoot(where);
  await sediment(store, ['import', fileOf(image, form), '--name', image.name], { umask });
  return snapshotStore(store);
}

function fileOf(image: ImageFiles, form: Form): string {
  return form === 'oci-archive' ? image.ociArchive : image.dockerArchive;
}

describe.skipIf(peersSkipReason).each<[DriverName, Form, string[]]>([
  ['overlay', 'oci-archive', ['022', '077']],
  ['overlay', 'docker-archive', ['022', '077']],
  ['vfs', 'oci-archive', ['022', '077']],
  ['vfs', 'docker-archive', ['022']],
])(peerTitle('a Debian with apt layers, imported into %s from an %s'), (driver, form, umasks) => {
  let image: ImageFiles;
  let reference: StoreSnapshot;
  beforeAll(async () => {
    image = await debootstrapImage();
    reference = await importWithSkopeo(image, form, { driver });
  });

  it.each(umasks)('equals the store that skopeo makes, with umask %s', async (octal) => {
    const umask = Number.parseInt(octal, 8);
    expect(compareStores(await importWithSediment(image, form, { driver, umask }), reference)).toEqual([]);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('a Debian with apt layers on ext4'), () => {
  let image: ImageFiles;
  let reference: StoreSnapshot;
  beforeAll(async () => {
    image = await debootstrapImage();
    reference = await importWithSkopeo(image, 'oci-archive', { driver: 'overlay', on: 'ext4' });
  });

  it('equals the store that skopeo makes', async () => {
    const where = { driver: 'overlay', on: 'ext4', umask: 0o022 } as const;
    expect(compareStores(await importWithSediment(image, 'oci-archive', where), reference)).toEqual([]);
  });

  it('the comparison leaves out only what two runs of skopeo differ in', async () => {
    const again = await importWithSkopeo(image, 'oci-archive', { driver: 'overlay' });
    expect(compareStores(again, reference)).toEqual([]);
  });

  it('the image has what is hard to get right', () => {
    const entries = [...reference.layers.values()].flatMap(({ tree }) => [...tree.values()]);
    const has = (test: (entry: TreeEntry) => boolean): boolean => entries.some(test);
    expect({
      layers: reference.layers.size,
      setuid: has(({ kind, mode }) => kind === 'file' && (mode & 0o4000) !== 0),
      capability: has(({ xattrs }) => 'security.capability' in xattrs),
      userAttribute: has(({ xattrs }) => 'user.comment' in xattrs),
      hardLink: has(({ nlink = 1 }) => nlink > 2),
      whiteout: has(({ kind, rdev }) => kind === 'character device' && rdev === '0:0'),
      opaque: has(({ xattrs }) => xattrs['trusted.overlay.opaque'] === Buffer.from('y').toString('hex')),
      blockDevice: has(({ kind }) => kind === 'block device'),
      fifo: has(({ kind }) => kind === 'fifo'),
      foreignOwner: has(({ uid, gid }) => uid === 1234 && gid === 4321),
      nameOfBytes: has(({ path }) => path.endsWith('latin1-\xe9')),
    }).toEqual({
      layers: 5,
      setuid: true,
      capability: true,
      userAttribute: true,
      hardLink: true,
      whiteout: true,
      opaque: true,
      blockDevice: true,
      fifo: true,
      foreignOwner: true,
      nameOfBytes: true,
    });
  });
});
