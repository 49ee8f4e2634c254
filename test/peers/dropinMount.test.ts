import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mountsBelow } from '../support/mounts.ts';
import { peersSkipReason, peerTitle } from '../support/peers.ts';
import { readRecords } from '../support/records.ts';
import type { DriverName } from '../support/storeRoot.ts';
import { tarOf } from '../support/tarWriter.ts';
import { type Step, TwinStores } from '../support/twinStores.ts';

const content = tarOf([
  { name: 'etc/', type: 'directory' },
  { name: 'etc/motd', content: 'hello\n', uid: 3, gid: 4 },
]);

function seed(twins: TwinStores): Step[] {
  return [
    [['import-layer', '--id', 'base', '--name', 'ground', '-f', twins.file('base', content)]],
    [['create-layer', '--id', 'child', 'base']],
    [['create-image', '--id', 'picture', '--name', 'drawn', 'base']],
    [['create-container', '--id', 'box', 'picture']],
    [['add-names', '--name', 'boxed', 'box']],
  ];
}

const MOUNTED_STILL = 'a layer is mounted: layer is in use by a container';

const SCRIPT: readonly Step[] = [
  [['mount', 'child', 'nothing', 'picture', 'boxed']],
  [['mount', '-j', 'child', 'nothing', '']],
  // the peer takes names and prefixes of layers for ids here
  [['mount', 'ground', 'box', 'chi'], { peerArgs: ['mount', 'base', 'box', 'child'] }],
  [['mounted', 'child', 'base', 'boxed', 'box']],
  [['mounted', '-j', 'child', 'nothing', 'base']],
  [['mounted', 'nothing', 'picture']],
  [['shutdown']],
  [['shutdown', '-j']],
  [['unmount', 'child']],
  [['umount', 'child']],
  [['mounted', 'child', 'base']],
  [['unmount', 'child', 'child', 'nothing', 'picture']],
  [['unmount', '-j', 'boxed', 'nothing', 'drawn', 'box', 'base']],
  [['mounted', 'child', 'base', 'box']],
  [['mount', '--opt', 'ro', '--label=', 'child', '-j', 'base']],
  [['unmount', '{GRAPH}/overlay/child/merged', '{GRAPH}/vfs/dir/child']],
  [['unmount', '--force', 'child', 'base']],
];

const SHUT_DOWN: readonly Step[] = [
  [['shutdown']],
  [['mount', 'child', 'box']],
  // the peer never comes back from this one
  [
    ['shutdown', '--force'],
    {
      peerArgs: ['unmount', '-f', 'child', 'box'],
      contract: { stdout: '', stderr: `shutdown: ${MOUNTED_STILL}\n`, exitCode: 1 },
    },
  ],
  [['mounted', 'child', 'box']],
  [['shutdown', '-j']],
  [['mount', 'child']],
  [
    ['shutdown', '-f', '-j'],
    { peerArgs: ['unmount', '-f', 'child'], contract: { stdout: '{}\n', exitCode: 1 } },
  ],
  [['shutdown', '-fj']],
];

/** Owners of the directories above a mount point that the maps do not have. */
const OWNERS: readonly Step[] = [
  [['layer-parent-owners', 'base', 'nothing', 'child']],
  [['layer-parent-owners', '-j', 'base', 'nothing', 'child']],
  [['container-parent-owners', 'box', 'nothing', 'boxed']],
  [['container-parent-owners', '--json', 'boxed', 'nothing']],
  [['layer-parent-owners', 'nothing']],
  [['create-layer', '--id', 'mapped', '--uidmap', '0:100000:1000', '--gidmap', '0:100000:1000', 'base']],
  [['create-container', '--id', 'crate', '--uidmap=0:100000:1000', '--gidmap=0:100000:1000', 'picture']],
  [['layer-parent-owners', 'base', 'mapped', 'child']],
  [['container-parent-owners', '-j', 'crate']],
  [['mount', 'mapped', 'crate']],
  [['layer-parent-owners', 'base', 'mapped', 'nothing']],
  [['layer-parent-owners', '-j', 'base', 'mapped']],
  [['container-parent-owners', 'crate', 'box']],
  [['container-parent-owners', '-j', 'crate', 'box']],
  [['unmount', 'mapped', 'crate']],
];

describe.skipIf(peersSkipReason).each<DriverName>(['overlay', 'vfs'])(
  peerTitle('mounting equals the Go command, on %s'),
  (driver) => {
    it('counts, and says what it did', async () => {
      await using twins = new TwinStores({ driver });
      expect(await twins.run([...seed(twins), ...SCRIPT])).toEqual([]);
      expect(twins.compare()).toEqual([]);
      const [, ours] = twins.stores;
      expect(mountsBelow(ours.path)).toEqual([]);
    });

    it('shows what lies below, and keeps what is written', async () => {
      await using twins = new TwinStores({ driver });
      expect(await twins.run([...seed(twins), [['mount', 'box']]])).toEqual([]);
      expect(twins.compare()).toEqual([]);
      twins.inBoth((store) => {
        const [mounted] = readRecords(store).mountpoints;
        writeFileSync(`${mounted?.path}/etc/motd`, 'changed\n');
        writeFileSync(`${mounted?.path}/new`, 'new\n');
      });
      expect(await twins.run([[['unmount', 'box']], [['diffsize', '{ID1}']]])).toEqual([]);
      expect(twins.compare()).toEqual([]);
    });

    it('shuts down', async () => {
      await using twins = new TwinStores({ driver });
      expect(await twins.run([...seed(twins), ...SHUT_DOWN])).toEqual([]);
      for (const store of twins.stores) expect(mountsBelow(store.path)).toEqual([]);
    });

    it('tells owners of parents', async () => {
      await using twins = new TwinStores({ driver });
      expect(await twins.run([...seed(twins), ...OWNERS])).toEqual([]);
      // the trees differ: the peer gives them, or on vfs all trees together, to the wrong owner
    });
  },
);

describe.skipIf(peersSkipReason)(peerTitle('images that are mounted'), () => {
  const REFUSED: readonly Step[] = [
    [['mount', '-r', 'base', 'nothing']],
    [['mount', '--ro', '-j', 'base']],
    [['mount', 'picture']],
    [['mounted', 'picture']],
    [['unmount', '-f', 'picture']],
  ];

  it('equal those of the Go command, on overlay', async () => {
    await using twins = new TwinStores();
    expect(
      await twins.run([
        ...seed(twins),
        ...REFUSED,
        [['mount', '--ro', 'drawn']],
        [['mount', '-r', '-j', 'pic']],
        [['shutdown']],
        [['unmount', 'picture']],
        [['unmount', '-j', 'drawn']],
        [['mount', '--read-only', 'drawn'], { peerArgs: ['mount', '--ro', 'drawn'] }],
        [['mounted', 'base']],
        [['delete-image', '-t', 'picture']],
        [['unmount', '-f', 'picture']],
        [['shutdown']],
      ]),
    ).toEqual([]);
    expect(twins.compare()).toEqual([]);
  });

  it('can be mounted on vfs too, unlike by the peer', async () => {
    await using twins = new TwinStores({ driver: 'vfs' });
    expect(await twins.run([...seed(twins), ...REFUSED])).toEqual([]);
    const stdout = '{GRAPH}/vfs/dir/base\n';
    expect(
      await twins.run([
        [['mount', '-r', 'drawn'], { contract: { stdout, stderr: '', exitCode: 0 } }],
        [['unmount', 'picture']],
        [['mount', '-r', 'nothing']],
      ]),
    ).toEqual([]);
    expect(twins.compare()).toEqual([]);
  });
});
