import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BundledProgram, bundleProgram } from '../support/bundleProgram.ts';
import { archiveOf, ociLayoutFiles } from '../support/imageArchive.ts';
import { mountsBelow } from '../support/mounts.ts';
import { peerPath, peersSkipReason, peerTitle, podmanRoots } from '../support/peers.ts';
import { imageNamed, readRecords } from '../support/records.ts';
import { type RunResult, runProgram, succeeded } from '../support/runProgram.ts';
import { sediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

const NAME = 'localhost/accounts:1';
const FIRST = 300000;
const COUNT = 20000;

interface StoredMap {
  container_id: number;
  host_id: number;
  size: number;
}

/** Accounts and files decide together how many ids a container of it needs. */
function writeImage(store: StoreRoot, passwd: string, group: string, uid: number): string {
  const path = join(store.path, 'accounts.tar');
  const layers = [
    [
      { name: 'etc/', type: 'directory' as const },
      { name: 'etc/passwd', content: passwd },
      { name: 'etc/group', content: group },
    ],
    [{ name: 'data', content: 'x', uid, gid: 3 }],
  ];
  writeFileSync(path, archiveOf(ociLayoutFiles([{ names: [NAME], layers }])));
  return path;
}

describe.skipIf(peersSkipReason)(peerTitle('ids chosen for containers'), () => {
  let store: StoreRoot;
  let program: BundledProgram;
  beforeAll(async () => {
    program = await bundleProgram(fileURLToPath(new URL('../support/createAutoUserns.ts', import.meta.url)));
  });
  afterAll(() => program?.remove());
  beforeEach(() => {
    store = makeStoreRoot();
    writeFileSync(join(store.path, 'subids'), `containers:${FIRST}:${COUNT}\n`);
  });
  afterEach(() => store.dispose());

  /** In a mount namespace of its own, where the user "containers" has subordinate ids. */
  const run = async (path: string, args: string[]): Promise<RunResult> => {
    const script = `mount --bind ${store.path}/subids /etc/subuid && mount --bind ${store.path}/subids /etc/subgid && exec "$@"`;
    const unshare = ['--mount', '/bin/sh', '-c', script, 'sh', path, ...args];
    return await runProgram('/usr/bin/unshare', unshare, { env: store.env });
  };
  const byPodman = async (mode = 'auto') =>
    succeeded(
      await run(peerPath('podman'), [
        ...podmanRoots(store),
        ...['create', '--network', 'none', `--userns=${mode}`, NAME, '/bin/sh'],
      ]),
    ).stdout.trim();
  const byUs = async (request = {}) => {
    const { graphRoot, runRoot, driver } = store;
    const { id } = imageNamed(readRecords(store), NAME);
    const args = [program.path, graphRoot, runRoot, driver, id, JSON.stringify(request)];
    return succeeded(await run(process.execPath, args)).stdout.trim();
  };
  const mapsOf = (id: string) => {
    const container = readRecords(store).containers.find((box) => box.id === id);
    expect(container?.gidmap).toEqual(container?.uidmap);
    return container?.uidmap as StoredMap[];
  };

  it.each([
    ['the least', 'root:x:0:0:::\nnobody:x:65534:65534:::\n', 'nogroup:x:65534:\n', 7, 1024],
    ['its accounts', 'root:x:0:0:::\nann:x:2999:5:::\nnobody:x:65534:65534:::\n', 'x:x:9:\n', 7, 3000],
    ['its files', 'root:x:0:0:::\n', 'x:x:9:\n', 4999, 5000],
  ])('are as many as an image needs: %s', async (name, passwd, group, uid, size) => {
    await sediment(store, ['import', writeImage(store, passwd, group, uid)]);
    const theirs = await byPodman();
    const ours = await byUs();
    // 1.43 leaves the account with the highest number without an id.
    const used = name === 'its accounts' ? size - 1 : size;
    expect(mapsOf(theirs)).toEqual([{ container_id: 0, host_id: FIRST, size: used }]);
    expect(mapsOf(ours)).toEqual([{ container_id: 0, host_id: FIRST + used, size }]);
    expect(mountsBelow(store.path)).toEqual([]);
  });

  it('are nobody else’s, and are used again', async () => {
    await sediment(store, ['import', writeImage(store, 'root:x:0:0:::\n', '', 7)]);
    const boxes = [await byUs({ size: 3000 }), await byPodman('auto:size=4000'), await byUs({ size: 5000 })];
    expect(boxes.map((box) => mapsOf(box)[0]?.host_id)).toEqual([FIRST, FIRST + 3000, FIRST + 7000]);
    await sediment(store, ['rm', boxes[1] as string]);
    expect(mapsOf(await byUs({ size: 6000 }))).toEqual([
      { container_id: 0, host_id: FIRST + 3000, size: 4000 },
      { container_id: 4000, host_id: FIRST + 12000, size: 2000 },
    ]);
    const additional = [{ containerId: 10, hostId: 0, size: 1 }];
    const special = await byUs({ size: 100, additionalUidMap: additional, additionalGidMap: additional });
    expect(mapsOf(special)).toEqual([
      { container_id: 0, host_id: FIRST + 14000, size: 10 },
      { container_id: 11, host_id: FIRST + 14010, size: 89 },
      { container_id: 10, host_id: 0, size: 1 },
    ]);
    await expect(byUs({ size: 6000 })).rejects.toThrow(/not enough unused IDs in user namespace/);
    await expect(byPodman('auto:size=6000')).rejects.toThrow(/could not find enough available IDs/);
  });
});
