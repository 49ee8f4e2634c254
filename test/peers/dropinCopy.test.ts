import {
  chmodSync,
  chownSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mountsBelow } from '../support/mounts.ts';
import { peersSkipReason, peerTitle } from '../support/peers.ts';
import type { DriverName, StoreRoot } from '../support/storeRoot.ts';
import { layerTree } from '../support/storeSnapshot.ts';
import { tarOf } from '../support/tarWriter.ts';
import { type Step, TwinStores } from '../support/twinStores.ts';

const content = tarOf([
  { name: 'etc/', type: 'directory', uid: 1, gid: 2 },
  { name: 'etc/motd', content: 'hello\n', uid: 3, gid: 4, mode: 0o640 },
  { name: 'etc/again', type: 'hardlink', linkname: 'etc/motd' },
  { name: 'etc/link', type: 'symlink', linkname: '/etc/motd' },
  { name: 'outside', type: 'symlink', linkname: '/' },
]);

/** Files of the host, the same for both programs. */
function writeHostFiles(store: StoreRoot): void {
  const path = (name: string): string => join(store.path, 'host', name);
  mkdirSync(path('tree/deep'), { recursive: true });
  writeFileSync(path('tree/file'), 'a file\n');
  writeFileSync(path('tree/deep/secret'), 'a secret\n');
  symlinkSync('../file', path('tree/deep/link'));
  chmodSync(path('tree/deep/secret'), 0o600);
  chownSync(path('tree/deep/secret'), 12, 34);
  chmodSync(path('tree/deep'), 0o750);
  lutimesSync(path('tree/deep/link'), 1.6e9, 1.6e9);
  for (const name of ['tree/deep/secret', 'tree/file', 'tree/deep', 'tree'])
    utimesSync(path(name), 1.6e9, 1.6e9);
}

/** The peer unpacks in a process of its own, and says so. */
const overDirectory = (name: string): Step => [
  ['copy', '{DIR}/host/tree/file', `target:/${name}`],
  {
    contract: {
      stderr: `error copying "{DIR}/host/tree/file" to "{GRAPH}/overlay/target/merged/${name}": cannot overwrite directory "/${name}" with non-directory "/"\n`,
    },
  },
];

const COPIES: readonly Step[] = [
  [['copy', '{DIR}/host/tree/file', 'target:/file']],
  [['copy', '{DIR}/host/tree/file', 'aimed:/made/on/the/way']],
  [['copy', '{DIR}/host/tree', 'target:/tree']],
  [['copy', '{DIR}/host/tree/', 'target:/']],
  [['copy', 'source:/etc/motd', 'target:/motd']],
  [['copy', 'source:etc', 'target:relative/etc']],
  [['copy', '--json', 'source:/etc/motd', 'source:/etc/again', 'target:/several/']],
  [['copy', 'source:/etc/motd', '{DIR}/host/']],
  [['copy', '{DIR}/host/tree/file', 'source:/etc/motd', '{DIR}/host/tree', 'target:/mixed']],
  [['copy', '--chown', '5', 'source:/etc', 'target:/five']],
  [['copy', '--chown=6:7', '{DIR}/host/tree', 'target:/six']],
  [['copy', 'source:/etc/motd', '{DIR}/host/out']],
  [['copy', 'source:/etc', '{DIR}/host/etc']],
  // over what is there
  [['copy', '{DIR}/host/tree/deep/secret', 'target:/file']],
  [['copy', '{DIR}/host/tree', 'target:/etc']],
];

const FAILURES: readonly Step[] = [
  [['copy', 'nothing:/x', 'target:/']],
  [['copy', '{DIR}/host/tree', 'nothing:/x']],
  [['copy', 'a"b:/x', 'target:/']],
  [['copy', '{DIR}/host/nothing', 'target:/x']],
  // the peer mounts the source for everybody to see
  [
    ['copy', 'source:/nothing', 'target:/x'],
    {
      contract: {
        stderr:
          'error copying "source:/nothing" to "{GRAPH}/overlay/target/merged/x": stat source:/nothing: no such file or directory\n',
      },
    },
  ],
  overDirectory('etc'),
  [['copy', ':/x', 'target:/x']],
  [['copy', '{DIR}/host/tree/file', 'target:/file/below']],
  [['layers', '-j']],
];

const badOwner = (flag: string, stderr: string): Step => [
  ['copy', flag, 'source:/etc', 'target:/x'],
  { contract: { stderr: `${stderr}\n` } },
];
const BAD_OWNERS: readonly Step[] = [
  badOwner('--chown=x', 'bad UID: strconv.ParseUint: parsing "x": invalid syntax'),
  badOwner('--chown=1:', 'bad GID: strconv.ParseUint: parsing "": invalid syntax'),
  badOwner('--chown=-1', 'bad UID: strconv.ParseUint: parsing "-1": invalid syntax'),
  badOwner('--chown=1:4294967296', 'bad GID: strconv.ParseUint: parsing "4294967296": value out of range'),
];

function seed(twins: TwinStores): Step[] {
  twins.inBoth(writeHostFiles);
  return [
    [['import-layer', '--id', 'source', '-f', twins.file('content', content)]],
    [['create-layer', '--id', 'target', '--name', 'aimed', 'source']],
  ];
}

describe.skipIf(peersSkipReason).each<DriverName>(['overlay', 'vfs'])(
  peerTitle('copying equals the Go command, on %s'),
  (driver) => {
    it('files and directories, to the same trees', async () => {
      await using twins = new TwinStores({ driver });
      expect(await twins.run([...seed(twins), ...COPIES])).toEqual([]);
      expect(twins.compare()).toEqual([]);
      const [, ours] = twins.stores;
      expect(mountsBelow(ours.path)).toEqual([]);
    });

    it('owners go through the mappings of both layers', async () => {
      await using twins = new TwinStores({ driver });
      const maps = ['--uidmap', '0:100000:1000', '--gidmap', '0:100000:1000'];
      expect(
        await twins.run([
          ...seed(twins),
          [['create-layer', '--id', 'shifted', ...maps]],
          [['copy', '{DIR}/host/tree', 'shifted:/in']],
          [['copy', 'source:/etc', 'shifted:/etc']],
          [['copy', 'shifted:/in', 'target:/out']],
          // into a directory that is there: the peer does not map the owner of a new one
          [['copy', '--chown', '8:9', 'shifted:/in', 'shifted:/etc']],
        ]),
      ).toEqual([]);
      // the peer gives all trees of vfs together to root of the mapping
      expect(twins.compare().filter((line) => !line.startsWith('"vfs/dir": '))).toEqual([]);
    });
  },
);

describe.skipIf(peersSkipReason)(peerTitle('copies through symlinks of a layer'), () => {
  it('stay inside of the layer, where the Go command follows them to the host', async () => {
    await using twins = new TwinStores({ driver: 'vfs' });
    const said = { stdout: '', stderr: '', exitCode: 0 };
    expect(
      await twins.run([
        ...seed(twins),
        [['copy', 'source:/etc/link', 'target:/one'], { oursAlone: true, contract: said }],
        [['copy', 'source:/outside/etc/motd', 'target:/outside/two'], { oursAlone: true, contract: said }],
      ]),
    ).toEqual([]);
    const [, ours] = twins.stores;
    for (const name of ['one', 'two']) {
      expect(readFileSync(join(layerTree(ours, 'target'), name), 'utf8')).toBe('hello\n');
    }
  });
});

describe.skipIf(peersSkipReason)(peerTitle('copies that cannot be made'), () => {
  it('fail as those of the Go command do', async () => {
    await using twins = new TwinStores();
    expect(await twins.run([...seed(twins), ...FAILURES, ...BAD_OWNERS])).toEqual([]);
    expect(twins.compare()).toEqual([]);
    const [, ours] = twins.stores;
    expect(mountsBelow(ours.path)).toEqual([]);
  });
});
