import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DROPIN, runDropin } from '../support/dropin.ts';
import { containersStorageAsIs, peerPath, peersSkipReason, peerTitle } from '../support/peers.ts';
import type { RunOptions, RunResult } from '../support/runProgram.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

/** Commands and flags that came after the version of the peer, and what it says otherwise of old ones. */
const NEW_COMMANDS = [
  'check',
  'config',
  'create-storage-layer',
  'dedup',
  'gc',
  'get-image-dir',
  'get-image-run-dir',
  'remove-names',
  'storage-layers',
  'unshare',
  'applydiff-using-staging-dir',
];
const NEW_FLAGS = /^ {2}--(image-store|transient-store|unshare)[ ,].*\n/gm;

/** Every command of the peer, and every other name that one has. */
const PEER_COMMANDS = `
  container list-container-data get-container-data get-container-data-size get-container-data-digest
  set-container-data get-container-dir get-container-run-dir container-parent-owners containers copy
  create-layer import-layer create-image create-container delete delete-layer delete-image
  delete-container changes diffsize diff applydiff exists image list-image-data get-image-data
  get-image-data-size get-image-data-digest set-image-data images images-by-digest layer
  layer-parent-owners list-layer-data get-layer-data set-layer-data layers metadata set-metadata mount
  unmount mounted get-names add-names set-names shutdown status version wipe
`;
const PEER_ALIASES = `
  listcontainerdata getcontainerdata getcontainerdatasize getcontainerdatadigest setcontainerdata
  getcontainerdir getcontainerrundir createlayer importlayer createimage createcontainer deletelayer
  deleteimage deletecontainer diff-size apply-diff listimagedata getimagedata getimagedatasize
  getimagedatadigest setimagedata listlayerdata getlayerdata setlayerdata setmetadata umount getnames
  addnames setnames
`;

let store: StoreRoot;
beforeAll(() => {
  store = makeStoreRoot({ driver: 'vfs' });
});
afterAll(() => store.dispose());

interface Said {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

/** What both say, each under the name `{PROGRAM}`; of ours without what the peer cannot know. */
async function both(args: readonly string[], options: RunOptions = {}): Promise<{ peer: Said; ours: Said }> {
  const peer = await containersStorageAsIs(store, args, { ...options, mayFail: true });
  const ours = await runDropin(store, args, options);
  return { peer: said(peer, peerPath('containers-storage')), ours: withoutNews(said(ours, DROPIN)) };
}

function said({ stdout, stderr, exitCode }: RunResult, program: string): Said {
  return { stdout, stderr: stderr.replaceAll(program, '{PROGRAM}'), exitCode };
}

function withoutNews({ stdout, stderr, exitCode }: Said): Said {
  const newCommands = new RegExp(`^ {2}(${NEW_COMMANDS.join('|')}) .*\n`, 'gm');
  return {
    stdout: stdout.replace(newCommands, '').replace(NEW_FLAGS, ''),
    stderr: stderr.replace(NEW_FLAGS, ''),
    exitCode,
  };
}

async function expectSame(args: readonly string[], options?: RunOptions): Promise<void> {
  const { peer, ours } = await both(args, options);
  expect(ours).toEqual(peer);
}

describe.skipIf(peersSkipReason)(peerTitle('usage of containers-storage, as the Go program has it'), () => {
  const roots = (): string[] => ['-g', store.graphRoot, '-R', store.runRoot, '-s', 'vfs'];

  it.each([
    [[]],
    [['--help']],
    [['--help', 'layers', '--help']],
    [['--help=false']],
    [['--help=xx']],
    [['-h']],
    [['-Dh']],
    [['-help']],
    [['-D']],
    [['--x']],
    [['-xyz', 'version']],
    [['--json', 'layers']],
    [['--graph']],
    [['-D=maybe', 'layers']],
    [['-=x']],
    [['nosuch', '--x']],
    [['-g', '/nowhere', 'nosuch']],
  ])('flags before the command: %j', async (args) => {
    await expectSame(args);
  });

  it.each([
    ['layers', '--x'],
    ['layers', '-jx'],
    ['layers', '-json'],
    ['layers', '--j'],
    ['layers', '---json'],
    ['layers', '--=x'],
    ['layers', '-=x'],
    ['layers', '-='],
    ['layers', '--json='],
    ['layers', '--json=abc'],
    ['layers', '--json=\'true"'],
    ['containers', '-jh'],
    ['layers', '--graph'],
    ['layers', '-g'],
    ['layers', '-gR'],
    ['containers', '-h=1'],
    ['createlayer', '-n'],
    ['createlayer', '--help'],
    ['layer'],
    ['layer', '-jD'],
    ['images-by-digest', 'a', 'b'],
    ['set-metadata', 'a', '-m'],
    ['create-layer', 'a', 'b', '--x'],
    ['get-image-data', 'a'],
  ])('flags after the command: %s %s', async (...args) => {
    await expectSame([...roots(), ...args]);
    await expectSame(args);
  });

  it('shows what flags in front of the command say', async () => {
    await expectSame([...roots(), '-D', '--storage-opt', 'a=b', '--storage-opt', 'c=d,e', 'layer', '--help']);
  });

  it('shows the home directory as a tilde', async () => {
    await expectSame(['-g', `${store.path}/x`, 'layer', '--help'], { env: { HOME: store.path } });
  });

  it('shows what the configuration says, whatever stands after the command', async () => {
    await expectSame(['layer', '-g', '/nowhere', '--help']);
    await expectSame(['layer', '--help'], { env: { STORAGE_DRIVER: 'overlay', STORAGE_OPTS: 'a=b,c=d' } });
  });

  it.each(`${PEER_COMMANDS}${PEER_ALIASES}`.trim().split(/\s+/))('%s --help', async (name) => {
    const { peer, ours } = await both([...roots(), name, '--help']);
    expect(ours.exitCode).toBe(125);
    expect(ours.stdout).toBe(peer.stdout);
    // the peer fails on its own flag there
    if (name === 'copy') return;
    expect(withoutLaterFlags(name, ours.stderr)).toBe(peer.stderr);
  });
});

/** Flags of single commands that are newer than the peer. */
function withoutLaterFlags(name: string, table: string): string {
  if (name === 'mount') return table.replace('--read-only, --ro, -r   ', '--ro, -r                ');
  if (name === 'layers') return table.replace(/^ {2}--quiet.*\n/m, '');
  // other words for the same
  return /^add-?names$/.test(name) ? table.replace('Name to add', 'New name') : table;
}
