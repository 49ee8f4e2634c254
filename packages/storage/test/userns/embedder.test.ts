import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BundledProgram, bundleProgram } from '../../../../test/support/bundleProgram.ts';
import { titled } from '../../../../test/support/hostAbility.ts';
import {
  makeUnprivilegedUser,
  type UnprivilegedUser,
  usersSkipReason,
} from '../../../../test/support/unprivilegedUser.ts';

describe.skipIf(usersSkipReason)(titled('a program of an ordinary user', usersSkipReason), () => {
  let program: BundledProgram;
  let user: UnprivilegedUser;

  beforeAll(async () => {
    program = await bundleProgram(fileURLToPath(new URL('embedder.ts', import.meta.url)));
    user = makeUnprivilegedUser();
  });
  afterAll(async () => {
    program?.remove();
    await user?.[Symbol.asyncDispose]();
  });

  const runEmbedder = (...args: string[]) =>
    user.mustRun([process.execPath, program.path, ...args, join(user.home, 'graph'), join(user.home, 'run')]);

  test('is told what a new store needs, and nothing is made', async () => {
    const error = JSON.parse((await runEmbedder('once')).stdout);
    expect(error).toMatchObject({
      code: 'NEEDS_USERNS',
      hint: expect.stringContaining('runInUserNamespace'),
    });
    expect(existsSync(join(user.home, 'graph'))).toBe(false);
  });

  test('has a store once it runs itself again', async () => {
    const { stdout, stderr } = await runEmbedder('again');
    expect(stdout).toMatch(/^0\n[0-9a-f]{64}\n$/);
    expect(stderr).toBe('');
    expect(statSync(join(user.home, 'graph/overlay')).uid).toBe(user.uid);
  });

  test('reads a store as it is, and is told why it cannot change it', async () => {
    const { stdout, stderr } = await runEmbedder('once');
    const [count, error = ''] = stdout.split('\n');
    expect(count).toBe('1');
    expect(stderr).toBe('SNAPSHOT_MODE\n');
    expect(JSON.parse(error)).toMatchObject({
      code: 'NEEDS_USERNS',
      hint: expect.stringContaining('runInUserNamespace'),
    });
  });
});
