import { afterEach, describe, expect, it } from 'vitest';
import { runDropin } from '../support/dropin.ts';
import { containersStorageAsIs, peersSkipReason, peerTitle } from '../support/peers.ts';
import type { RunResult } from '../support/runProgram.ts';
import type { StoreRoot } from '../support/storeRoot.ts';
import { type Step, type StepOptions, TwinStores } from '../support/twinStores.ts';

let twins: TwinStores;
afterEach(async () => await twins[Symbol.asyncDispose]());

async function expectSame(...script: Step[]): Promise<void> {
  twins ??= new TwinStores({ driver: 'vfs' });
  expect(await twins.run(script)).toEqual([]);
}

/** No roots are added: the arguments and the environment choose the store. */
function asIs(env: NodeJS.ProcessEnv = {}): StepOptions {
  return { asIs: true, env };
}

describe.skipIf(peersSkipReason)(peerTitle('the store that is opened is the one of the Go program'), () => {
  it('is that of the configuration', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    await expectSame(
      [['status'], asIs()],
      [['status', '-j'], asIs({ STORAGE_DRIVER: 'vfs', STORAGE_OPTS: 'vfs.ignore_chown_errors=false' })],
      [['layers'], asIs({ STORAGE_DRIVER: 'nosuch' })],
      [['layers'], asIs({ STORAGE_OPTS: 'nosuch=1' })],
    );
    expect(twins.compare()).toEqual([]);
  });

  it('takes nothing else from the configuration once a flag before the command chooses', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    const configured = asIs({ STORAGE_OPTS: 'nosuch=1', STORAGE_DRIVER: 'nosuch' });
    await expectSame(
      [['-g', '{DIR}/other', '-R', '{DIR}/otherrun', '-s', 'vfs', 'status'], configured],
      [['-g', '{DIR}/other', '-s', 'vfs', 'status', '-j'], configured],
      [['-R', '{DIR}/otherrun', '-s', 'vfs', 'status'], configured],
    );
  });

  it('adds to the configuration what flags after the command say', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    const options = asIs({ STORAGE_OPTS: 'vfs.ignore_chown_errors=false' });
    await expectSame(
      [['status', '-g', '{DIR}/other'], options],
      [['status', '--storage-opt', 'vfs.ignore_chown_errors=true'], options],
      [['status', '-s', 'vfs'], options],
    );
  });

  it('tells more of overlay than the peer, as newer versions do', async () => {
    twins = new TwinStores({ driver: 'overlay' });
    const known = [
      ...['Root: {GRAPH}', 'Run Root: {RUN}', 'Driver Name: overlay', 'Driver Options: []'],
      ...['Backing Filesystem: tmpfs', 'Supports d_type: true', 'Native Overlay Diff: true'],
      'Using metacopy: false',
    ];
    const newer = [...known, 'Supports shifting: true', 'Supports volatile: true'];
    await expectSame([['status'], { contract: { stderr: `${newer.join('\n')}\n` } }]);
  });

  it('makes relative roots absolute', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    await expectSame([
      ['-g', 'here', '-R', 'there', '-s', 'vfs', 'status', '-j'],
      { ...asIs(), cwd: '{DIR}/tmp' },
    ]);
  });

  it('tells why it cannot be opened', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    twins.file('bad.conf', '[storage]\ndriver = \n');
    const roots = ['-g', '{DIR}/a', '-R', '{DIR}/b', '-s', 'vfs'];
    await expectSame(
      [['-s', 'vfs', 'layers'], asIs()],
      [['-g', '{DIR}/a', '-R', '{DIR}/b', '-s', 'nosuch', 'layers'], asIs()],
      [[...roots, '--storage-opt', 'foo=bar', 'layers'], asIs()],
      [[...roots, '--storage-opt', 'foobar', 'layers'], asIs()],
      [['-g', '{DIR}/a', '-R', '{DIR}/b', '-s', 'overlay', '--storage-opt', 'foo=bar', 'layers'], asIs()],
      [['-g', '/proc/nosuch', '-R', '{DIR}/b', '-s', 'vfs', 'version'], asIs()],
      [[...roots, 'layers'], asIs({ CONTAINERS_STORAGE_CONF: '{DIR}/nosuch.conf' })],
      [['layers'], asIs({ CONTAINERS_STORAGE_CONF: '{DIR}/nosuch.conf' })],
    );
    const { stdout, exitCode } = await runDropin(twins.stores[1], ['version'], {
      env: { CONTAINERS_STORAGE_CONF: `${twins.stores[1].path}/bad.conf` },
    });
    expect({ stdout, exitCode }).toEqual({
      stdout: expect.stringMatching(/^error initializing: .*bad\.conf.*2/),
      exitCode: 1,
    });
  });

  it('logs where it is', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    const [theirs, own] = twins.stores;
    for (const args of [
      ['-D', '-g', '{DIR}/a', '-R', '{DIR}/b', '-s', 'vfs', 'layers'],
      ['-D', '-g', '{DIR}/a', 'layers'],
      ['layers', '--debug'],
      ['layers', '-D', '-g', '{DIR}/a', '-s', 'vfs'],
    ]) {
      const peer = await containersStorageAsIs(theirs, fill(args, theirs), { mayFail: true });
      const ours = await runDropin(own, fill(args, own));
      expect(firstLogLines(ours, own)).toEqual(firstLogLines(peer, theirs));
    }
  });
});

function fill(args: readonly string[], { path }: StoreRoot): string[] {
  return args.map((arg) => arg.replace('{DIR}', path));
}

/** The four lines that the contract names; what follows is each program's own. */
function firstLogLines({ stderr }: RunResult, { path }: StoreRoot): string[] {
  const general = stderr.replaceAll(path, '{DIR}').replace(/time="[^"]+"/g, 'time="{TIME}"');
  return general.split('\n').slice(0, 4);
}
