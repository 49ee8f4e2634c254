import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkoutRoot } from '../../scripts/lib/checkout.js';
import { overlaySkipReason, rootSkipReason, titled } from '../support/hostAbility.ts';
import { mountsBelow } from '../support/mounts.ts';
import { mustRun, runProgram } from '../support/runProgram.ts';
import { makeScratchDirectory, removeScratchDirectory } from '../support/storeRoot.ts';

const SCRIPT = join(checkoutRoot, 'scripts/quickstart.js');
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;
const setprivSkipReason = rootSkipReason ?? (hasSetpriv ? undefined : 'needs setpriv of util-linux');
const NOBODY = ['--reuid', '65534', '--clear-groups'];
const nobodyReads =
  setprivSkipReason === undefined && spawnSync('setpriv', [...NOBODY, 'cat', SCRIPT]).status === 0;
const nobodySkipReason = setprivSkipReason ?? (nobodyReads ? undefined : 'others cannot read the checkout');

describe('the quickstart', () => {
  let directory: string;
  beforeEach(() => {
    directory = makeScratchDirectory('quickstart');
  });
  afterEach(() => removeScratchDirectory(directory));
  const args = () => [SCRIPT, '--no-build', '--dir', directory];

  it.skipIf(overlaySkipReason)(
    titled('shows a store with overlay and cleans up', overlaySkipReason),
    async () => {
      const { stdout } = await mustRun(process.execPath, args());
      expect(stdout).toContain('overlay/l');
      expect(stdout).toContain('motd (character device 0:0)');
      expect(stdout).toContain('Everything came out as described.');
      expect(readdirSync(directory)).toEqual([]);
      expect(mountsBelow(directory)).toEqual([]);
    },
  );

  it.skipIf(setprivSkipReason)(
    titled('shows vfs where mounts are refused, and says why', setprivSkipReason),
    async () => {
      const { stdout } = await mustRun('setpriv', [
        '--bounding-set=-sys_admin',
        process.execPath,
        ...args(),
        '--keep',
      ]);
      expect(stdout).toMatch(/overlay driver does not work .*mount.*\[DRIVER_PREREQUISITES\]/);
      expect(stdout).toContain('export STORAGE_DRIVER=vfs');
      expect(stdout).toContain('Everything came out as described.');
      const [kept = ''] = readdirSync(directory);
      expect(existsSync(join(directory, kept, 'graph/vfs-containers/containers.json'))).toBe(true);
    },
  );

  it.skipIf(nobodySkipReason)(titled('says so when it is not root', nobodySkipReason), async () => {
    const { exitCode, stderr } = await runProgram('setpriv', [...NOBODY, process.execPath, ...args()]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('sudo npm run quickstart');
    expect(readdirSync(directory)).toEqual([]);
  });
});
