import { chmodSync, copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareStores } from '../support/compareStores.ts';
import { debootstrapImage } from '../support/debootstrapImage.ts';
import { titled } from '../support/hostAbility.ts';
import { archiveOf, dockerArchiveFiles } from '../support/imageArchive.ts';
import { assertNothingLeft, findDebris } from '../support/leftovers.ts';
import { peerPath, peersSkipReason } from '../support/peers.ts';
import { readRecords } from '../support/records.ts';
import { makeRootlessStore, type RootlessStore } from '../support/rootlessStore.ts';
import type { RunResult } from '../support/runProgram.ts';
import { snapshotStore } from '../support/storeSnapshot.ts';
import { writeTinyArchives } from '../support/tinyArchives.ts';
import { tinyImage } from '../support/tinyImage.ts';
import { usersSkipReason } from '../support/unprivilegedUser.ts';

const NAME = 'localhost/tiny:1';
const skipReason = peersSkipReason ?? usersSkipReason;

let rootless: RootlessStore;
let archive: string;
beforeEach(() => {
  if (skipReason) return;
  rootless = makeRootlessStore();
  archive = writeTinyArchives(rootless.store).dockerArchive;
});
afterEach(async () => {
  if (!skipReason) await rootless[Symbol.asyncDispose]();
});

const sediment = (...args: string[]): Promise<RunResult> => rootless.ours('sediment', args);
const trySediment = (...args: string[]): Promise<RunResult> =>
  rootless.user.run(rootless.oursArgv('sediment', ...args));

/** A Debian with packages, where the user can read it. */
async function debianArchive(): Promise<{ debian: string; name: string }> {
  const { dockerArchive, name } = await debootstrapImage();
  const debian = join(rootless.store.path, 'debian.tar');
  copyFileSync(dockerArchive, debian);
  chmodSync(debian, 0o644);
  return { debian, name };
}

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1000 && !condition(); attempt++) await setTimeout(20);
}

/** The image ids and names that both say are in the store. */
async function imagesForBoth(): Promise<Array<{ id: string; names: string[] }>> {
  const theirs = JSON.parse((await rootless.podman(['images', '--format', 'json'])).stdout) as Array<{
    Id: string;
    Names: string[];
  }>;
  const ours = JSON.parse((await sediment('images', '--format', 'json')).stdout) as Array<{
    id: string;
    names: string[];
  }>;
  expect(ours.map(({ id, names }) => ({ id, names }))).toEqual(
    theirs.map(({ Id, Names }) => ({ id: Id, names: Names })),
  );
  return ours;
}

describe.skipIf(skipReason)(titled('a user with podman', skipReason), () => {
  it('runs with podman what sediment imported', async () => {
    await sediment('import', archive);
    expect((await imagesForBoth()).map(({ names }) => names)).toEqual([[NAME]]);
    const run = ['run', '--rm', '--network', 'none', '--cgroups=disabled', NAME];
    const { stdout } = await rootless.podman([
      ...run,
      '/bin/stat',
      '-c',
      '%u:%g %a %n',
      '/etc/motd',
      '/etc/old',
    ]);
    expect(stdout).toBe('1000:1000 600 /etc/motd\n0:42 2750 /etc/old\n');
    const shown = await rootless.podman([...run, '/bin/ls', '/etc/emptied']);
    expect(shown.stdout).toBe('new\n');
  });

  it('gets from sediment the store that podman makes', async () => {
    await sediment('import', archive);
    const { home } = rootless.user;
    const theirs = { ...rootless.store, graphRoot: join(home, 'graph'), runRoot: join(home, 'run') };
    const roots = ['--root', theirs.graphRoot, '--runroot', theirs.runRoot];
    await rootless.podman([...roots, 'load', '--quiet', '--input', archive]);
    expect(compareStores(snapshotStore(rootless.store), snapshotStore(theirs))).toEqual([]);
  });

  it('gets that store of a Debian, too: set-id bits, capabilities, many owners', async () => {
    const { debian, name } = await debianArchive();
    const { home } = rootless.user;
    const theirs = { ...rootless.store, graphRoot: join(home, 'graph'), runRoot: join(home, 'run') };
    const roots = ['--root', theirs.graphRoot, '--runroot', theirs.runRoot];
    await rootless.podman([...roots, 'load', '--quiet', '--input', debian]);
    await sediment('import', debian, '--name', name);
    expect(compareStores(snapshotStore(rootless.store), snapshotStore(theirs))).toEqual([]);
    await sediment('rmi', name);
    assertNothingLeft(rootless.store);
  });

  it('shows sediment what podman loaded and committed', async () => {
    await rootless.podman(['load', '--quiet', '--input', archive]);
    const change = ['/bin/sh', '-c', 'echo committed > /etc/motd'];
    await rootless.podman([
      'run',
      '--name',
      'changer',
      '--network',
      'none',
      '--cgroups=disabled',
      NAME,
      ...change,
    ]);
    await rootless.podman(['commit', '--quiet', 'changer', 'localhost/committed:1']);
    await imagesForBoth();
    const theirs = JSON.parse((await rootless.podman(['image', 'inspect', 'localhost/committed:1'])).stdout);
    const ours = JSON.parse((await sediment('inspect', 'localhost/committed:1')).stdout);
    expect(ours[0]).toMatchObject({
      Id: theirs[0].Id,
      RootFS: theirs[0].RootFS,
      GraphDriver: theirs[0].GraphDriver,
    });
    await sediment('create', '--name', 'box', 'localhost/committed:1');
    const cat = 'cat "$("$@" mount box)/etc/motd"; "$@" unmount box';
    const { stdout } = await sediment('unshare', 'sh', '-c', cat, 'sh', ...rootless.oursArgv('sediment'));
    expect(stdout).toBe('committed\nbox\n');
  });

  it('shares mounts with podman, whoever made them', async () => {
    await sediment('import', archive);
    await rootless.podman(['create', '--name', 'theirs', NAME]);
    await sediment('create', '--name', 'box', NAME);
    const [mount] = [rootless.oursArgv('sediment', 'mount', 'box')];
    const path = (await sediment('unshare', ...mount)).stdout.trim();
    expect((await rootless.podman(['unshare', 'ls', `${path}/etc/emptied`])).stdout).toBe('new\n');
    expect((await sediment('mount', '--format', 'json')).stdout).toContain(path);
    const mounted = (await rootless.podman(['unshare', 'podman', 'mount', 'theirs'])).stdout.trim();
    expect((await sediment('mount', '--format', 'json')).stdout).toContain(mounted);
    await sediment('unmount', 'box');
    await expect(rootless.podman(['unshare', 'ls', `${path}/etc`])).rejects.toThrow('No such file');
    await rootless.podman(['unshare', 'podman', 'umount', 'theirs']);
    await rootless.podman(['rm', 'theirs']);
    await sediment('rm', 'box');
    await sediment('rmi', NAME);
    expect(await imagesForBoth()).toEqual([]);
    expect(readRecords(rootless.store)).toMatchObject({ layers: [], images: [], containers: [] });
    assertNothingLeft(rootless.store);
  });

  it('may delete with either program what the other one made', async () => {
    await rootless.podman(['load', '--quiet', '--input', archive]);
    await sediment('rmi', NAME);
    expect(await imagesForBoth()).toEqual([]);
    await sediment('import', archive);
    await rootless.podman(['rmi', NAME]);
    expect(await imagesForBoth()).toEqual([]);
    expect(findDebris(rootless.store)).toEqual([]);
  });
});

describe.skipIf(skipReason)(titled('a user without podman', skipReason), () => {
  it('has a whole store, and nothing is left of what was deleted', async () => {
    await sediment('import', archive);
    await sediment('create', '--name', 'box', NAME);
    const script = 'ls "$("$@" mount box)/etc/emptied"; "$@" mount --format json | grep -c merged';
    const inside = await sediment('unshare', 'sh', '-c', script, 'sh', ...rootless.oursArgv('sediment'));
    expect(inside.stdout).toBe('new\n1\n');
    // the mount has ended with its namespace, whatever its count says
    expect((await sediment('mount', '--format', 'json')).stdout.trim()).toBe('[]');
    const [container] = JSON.parse((await sediment('containers', '--format', 'json')).stdout) as [object];
    expect(container).toMatchObject({ mountPoint: null });
    await sediment('rm', 'box');
    await sediment('rmi', NAME);
    expect(readRecords(rootless.store)).toMatchObject({ layers: [], images: [], containers: [] });
    assertNothingLeft(rootless.store);
  });

  it('may end an import, which then leaves nothing', async () => {
    const { debian } = await debianArchive();
    let pid = 0;
    const importing = rootless.user.run(rootless.oursArgv('sediment', 'import', debian), {
      onStart: (started) => {
        pid = started;
      },
    });
    await until(() => existsSync(rootless.store.graphRoot) && findDebris(rootless.store).length > 0);
    process.kill(pid, 'SIGTERM');
    const { exitCode, stderr } = await importing;
    expect({ exitCode, stderr }).toEqual({ exitCode: 143, stderr: expect.stringContaining('[ABORTED]') });
    expect(readRecords(rootless.store)).toMatchObject({ layers: [], images: [] });
    assertNothingLeft(rootless.store);
  });

  it('is told where mounts are seen', async () => {
    await sediment('import', archive);
    await sediment('create', '--name', 'box', NAME);
    const { exitCode, stderr } = await trySediment('mount', 'box');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(/NEEDS_USERNS[\s\S]*sediment unshare/),
    });
  });

  it('gets images without their devices, and with owners within the own ids only', async () => {
    const image = tinyImage('localhost/odd:1');
    const device = { name: 'dev/null', type: 'character' } as const;
    const odd = join(rootless.store.path, 'odd.tar');
    writeFileSync(odd, archiveOf(dockerArchiveFiles([{ ...image, layers: [...image.layers, [device]] }])));
    expect((await sediment('import', odd)).stderr).toContain('[DEVICE_SKIPPED]');

    const foreign = { name: 'far', content: 'x', uid: 70000, gid: 70000 };
    writeFileSync(odd, archiveOf(dockerArchiveFiles([{ ...image, layers: [...image.layers, [foreign]] }])));
    const before = readRecords(rootless.store);
    const refused = await trySediment('import', odd);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(
      'potentially insufficient UIDs or GIDs available in user namespace (requested 70000:70000 for far)',
    );
    expect(readRecords(rootless.store)).toEqual(before);
    expect(findDebris(rootless.store)).toEqual([]);

    const obeyed = await sediment('--storage-opt', 'overlay.ignore_chown_errors=true', 'import', odd);
    expect(obeyed.stderr).toContain('[CHOWN_IGNORED]');
  });

  it('needs subordinate ids only for files of other owners', async () => {
    await using poor = makeRootlessStore({ subordinateIds: false });
    const tiny = writeTinyArchives(poor.store).dockerArchive;
    const failed = await poor.user.run(poor.oursArgv('sediment', 'import', tiny));
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain('[SINGLE_ID_MAP]');
    expect(failed.stderr).toContain('potentially insufficient UIDs or GIDs');
    const ignoring = ['--storage-opt', 'overlay.ignore_chown_errors=true'];
    await poor.ours('sediment', [...ignoring, 'import', tiny]);
    expect((await poor.ours('sediment', ['images'])).stdout).toContain('localhost/tiny');
    await poor.ours('sediment', ['rmi', NAME]);
    assertNothingLeft(poor.store);
  });

  it('uses vfs where overlay is not wanted', async () => {
    await sediment('--storage-driver', 'vfs', 'import', archive);
    const id = (await sediment('--storage-driver', 'vfs', 'create', NAME)).stdout.trim();
    const path = (await sediment('--storage-driver', 'vfs', 'mount', id)).stdout.trim();
    expect(existsSync(join(path, 'etc/emptied/new'))).toBe(true);
    await sediment('--storage-driver', 'vfs', 'rm', '--force', id);
    await sediment('--storage-driver', 'vfs', 'rmi', NAME);
  });
});

describe.skipIf(skipReason)(titled('containers-storage of a user', skipReason), () => {
  const dropin = (...args: string[]): Promise<RunResult> => rootless.ours('containers-storage', args);
  const tryDropin = (...args: string[]): Promise<RunResult> =>
    rootless.user.run(rootless.oursArgv('containers-storage', ...args));
  /** The Go command makes no namespace by itself in this version. */
  const go = (...args: string[]): Promise<RunResult> =>
    rootless.podman(['unshare', peerPath('containers-storage'), ...args]);

  it('says what the Go command says in the namespace of podman', async () => {
    await sediment('import', archive);
    const id = (await dropin('create-container', '--name', 'box', NAME)).stdout.split('\n')[0] ?? '';
    for (const args of [
      ['images', '-j'],
      ['layers', '-j'],
      ['containers', '-j'],
      ['layers', '-t'],
      ['container', id],
    ]) {
      expect((await dropin(...args)).stdout, args.join(' ')).toBe((await go(...args)).stdout);
    }
    expect((await dropin('check', '--max', '0')).stdout).toBe('');
  });

  it('mounts, for podman and the Go command to see, and deletes', async () => {
    await rootless.podman(['load', '--quiet', '--input', archive]);
    await dropin('create-container', '--name', 'box', NAME);
    const path = (await dropin('mount', 'box')).stdout.trim();
    expect((await rootless.podman(['unshare', 'ls', `${path}/etc/emptied`])).stdout).toBe('new\n');
    await go('unmount', 'box');
    expect((await sediment('mount', '--format', 'json')).stdout.trim()).toBe('[]');
    await dropin('delete-container', 'box');
    await dropin('delete-image', NAME);
    expect(await imagesForBoth()).toEqual([]);
    expect(findDebris(rootless.store)).toEqual([]);
  });

  it('runs programs as root of the namespace, and tells how they end', async () => {
    const { stdout } = await dropin('unshare', 'sh', '-c', 'id -u; echo "$_CONTAINERS_ROOTLESS_UID"');
    expect(stdout).toBe(`0\n${rootless.user.uid}\n`);
    const failed = await tryDropin('unshare', 'sh', '-c', 'exit 7');
    expect([failed.exitCode, failed.stderr]).toEqual([1, 'exit status 7\n']);
  });

  it('reads without a namespace what is there, where that was asked for', async () => {
    await sediment('import', archive);
    expect((await dropin('--unshare=false', 'images')).stdout).toBe((await dropin('images')).stdout);
    const refused = await tryDropin('--unshare=false', 'delete-image', NAME);
    expect(refused.exitCode).toBe(1);
  });
});
