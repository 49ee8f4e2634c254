import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BundledProgram, bundleProgram } from '../../../../test/support/bundleProgram.ts';
import { titled } from '../../../../test/support/hostAbility.ts';
import type { RunOptions } from '../../../../test/support/runProgram.ts';
import {
  makeUnprivilegedUser,
  type UnprivilegedUser,
  usersSkipReason,
} from '../../../../test/support/unprivilegedUser.ts';

describe.skipIf(usersSkipReason)(titled('runInUserNamespace', usersSkipReason), () => {
  let program: BundledProgram;
  let user: UnprivilegedUser;

  beforeAll(async () => {
    program = await bundleProgram(fileURLToPath(new URL('namespaceProgram.ts', import.meta.url)));
    user = makeUnprivilegedUser();
  });
  afterAll(async () => {
    program?.remove();
    await user?.[Symbol.asyncDispose]();
  });

  async function inNamespace(argv: string[], options?: RunOptions, as = user) {
    const { stdout, stderr } = await as.run([process.execPath, program.path, 'own', ...argv], options);
    return { stdout, said: stderr.trim().split('\n') };
  }

  test('the program is root, and has the ids of the user', async () => {
    const script =
      'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; mount -t tmpfs none /mnt && echo mounted';
    const { stdout, said } = await inNamespace(['sh', '-c', script]);
    const [uid, gid, ...lines] = stdout.trim().split('\n');
    expect([uid, gid, lines.pop()]).toEqual(['0', '0', 'mounted']);
    const maps = lines.map((line) => line.trim().split(/\s+/).map(Number));
    expect(maps[0]).toEqual([0, user.uid, 1]);
    expect(maps[1]).toEqual([1, expect.any(Number), 65536]);
    expect(maps[2]).toEqual([0, user.gid, 1]);
    expect(said).toEqual(['{"code":0,"signal":null}']);
  });

  test('the program finds the variables that rootless programs look for, and the same working directory', async () => {
    const { stdout } = await inNamespace(['sh', '-c', 'env | grep -E "^_C|^BUILDAH"; pwd']);
    expect(stdout.trim().split('\n').sort()).toEqual(
      [
        user.home,
        'BUILDAH_ISOLATION=rootless',
        `_CONTAINERS_ROOTLESS_GID=${user.gid}`,
        `_CONTAINERS_ROOTLESS_UID=${user.uid}`,
        '_CONTAINERS_USERNS_CONFIGURED=done',
      ].sort(),
    );
  });

  test('exit status, signal and a program that does not exist are told', async () => {
    expect((await inNamespace(['sh', '-c', 'exit 7'])).said).toEqual(['{"code":7,"signal":null}']);
    expect((await inNamespace(['sh', '-c', 'kill -TERM $$'])).said).toEqual([
      '{"code":null,"signal":"SIGTERM"}',
    ]);
    expect((await inNamespace(['no-such-program'])).said.at(-1)).toBe('{"code":127,"signal":null}');
  });

  test('descriptors of the start are closed, and the standard ones are the own', async () => {
    const script = ['sh', '-c', 'ls /proc/self/fd | tr "\\n" " "; cat'];
    const { stdout } = await inNamespace(script, { input: 'in' });
    const outside = await user.run(script, { input: 'in' });
    expect(stdout).toBe(outside.stdout);
  });

  test('a signal to this process reaches the program', async () => {
    const script = 'trap "echo got; exit 3" TERM; echo ready; while :; do sleep 0.05; done';
    let parent = 0;
    const running = inNamespace(['sh', '-c', `${script}`], {
      onStart: (pid) => {
        parent = pid;
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    process.kill(parent, 'SIGTERM');
    const { stdout, said } = await running;
    expect(stdout).toBe('ready\ngot\n');
    expect(said).toEqual(['{"code":3,"signal":null}']);
  });

  test('a program in a namespace does not make another', async () => {
    const nested = [process.execPath, program.path, 'own', 'readlink', '/proc/self/ns/user'];
    const { stdout } = await inNamespace([
      'sh',
      '-c',
      'readlink /proc/self/ns/user; exec "$@"',
      'sh',
      ...nested,
    ]);
    const [outer, inner] = stdout.trim().split('\n');
    expect(inner).toBe(outer);
  });

  test('programs that are missing are named', async () => {
    const { said } = await inNamespace(['true'], { env: { PATH: user.home } });
    expect(JSON.parse(said[0] ?? '')).toMatchObject({
      code: 'NEEDS_USERNS',
      message: 'unshare: executable file not found in $PATH',
      hint: expect.stringContaining('util-linux'),
    });
  });

  test('ends with this process, if that is killed', async () => {
    let parent = 0;
    const running = inNamespace(['sh', '-c', 'echo started; while :; do sleep 0.05; done'], {
      onStart: (pid) => {
        parent = pid;
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    process.kill(parent, 'SIGKILL');
    // the output ends when nobody has it open any more
    expect((await running).stdout).toBe('started\n');
  });

  test('says which setting forbids namespaces', async () => {
    const script = `echo 0 > /proc/sys/user/max_user_namespaces
      exec setpriv --reuid 1000 --clear-groups env -u _CONTAINERS_ROOTLESS_UID -u _CONTAINERS_USERNS_CONFIGURED "$@"`;
    const inner = [process.execPath, program.path, 'own', 'true'];
    const { said } = await inNamespace(['sh', '-c', script, 'sh', ...inner]);
    expect(JSON.parse(said.find((line) => line.includes('NEEDS_USERNS')) ?? '')).toMatchObject({
      message: expect.stringContaining('No space left on device'),
      hint: expect.stringContaining('sysctl user.max_user_namespaces'),
      facts: { path: '/proc/sys/user/max_user_namespaces' },
    });
  });

  test('names newuidmap where it is missing', async () => {
    const bin = join(user.path, 'bin');
    mkdirSync(bin);
    symlinkSync('/usr/bin/unshare', join(bin, 'unshare'));
    const { said } = await inNamespace(['true'], { env: { PATH: bin } });
    expect(JSON.parse(said[0] ?? '')).toMatchObject({
      code: 'NEEDS_USERNS',
      message: 'newuidmap: executable file not found in $PATH',
      hint: expect.stringContaining('uidmap'),
    });
  });

  test('a user without subordinate ids gets the own id, and is told', async () => {
    await using poor = makeUnprivilegedUser({ subordinateIds: false });
    const { stdout, said } = await inNamespace(['cat', '/proc/self/uid_map', '/proc/self/gid_map'], {}, poor);
    expect(stdout.trim().split(/\s+/).map(Number)).toEqual([0, poor.uid, 1, 0, poor.gid, 1]);
    expect(JSON.parse(said[0] ?? '')).toMatchObject({
      code: 'SINGLE_ID_MAP',
      message: expect.stringContaining(`no subuid ranges found for user "${poor.name}" in /etc/subuid`),
    });
  });
});
