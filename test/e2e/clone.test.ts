import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutRoot } from '../../scripts/lib/checkout.js';
import { titled } from '../support/hostAbility.ts';
import { npm, WITHOUT_COMPILING } from '../support/npm.ts';
import { mustRun, runProgram } from '../support/runProgram.ts';
import { makeScratchDirectory, removeScratchDirectory } from '../support/storeRoot.ts';

const skipReason = existsSync(join(checkoutRoot, '.git')) ? undefined : 'these sources are no git checkout';

describe.skipIf(skipReason)(titled('a fresh clone', skipReason), () => {
  let clone: string;
  let sediment: string;
  beforeAll(async () => {
    clone = join(makeScratchDirectory('clone'), 'sediment');
    sediment = join(clone, 'node_modules/.bin/sediment');
    await mustRun('git', ['clone', '--quiet', '--depth=1', `file://${checkoutRoot}`, clone]);
    await npm(clone, ['ci', WITHOUT_COMPILING]);
  });
  afterAll(() => removeScratchDirectory(join(clone, '..')));

  it('has the command linked before it is built, which then says what to do', async () => {
    const { exitCode, stderr } = await runProgram(sediment, ['images']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('hint: run `npm run build`'),
    });
  });

  it('builds, and the command tells its version', async () => {
    await npm(clone, ['run', 'build']);
    const { version } = JSON.parse(readFileSync(join(checkoutRoot, 'packages/cli/package.json'), 'utf8'));
    const { stdout } = await mustRun(sediment, ['version']);
    expect(stdout).toContain(version);
  });

  it('builds again to the same files', async () => {
    const listing = async (): Promise<string> =>
      (await mustRun('sh', ['-c', 'sha256sum packages/*/dist/*js'], { cwd: clone })).stdout;
    const before = await listing();
    await npm(clone, ['run', 'build']);
    expect(await listing()).toBe(before);
  });

  it('holds nothing that git does not know or is not told to ignore', async () => {
    const { stdout } = await mustRun('git', ['status', '--porcelain'], { cwd: clone });
    expect(stdout).toBe('');
  });
});
