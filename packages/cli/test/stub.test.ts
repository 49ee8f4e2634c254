import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVersion } from '../src/version.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

describe('the stub without the bundle', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sediment-stub-'));
    for (const part of ['bin', 'package.json']) {
      cpSync(join(PACKAGE, part), join(directory, part), { recursive: true });
    }
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(directory, 'bin/sediment.cjs'), ...args], { encoding: 'utf8' });

  it.each(['version', '--version'])('prints the version, which scripts ask for: %s', (word) => {
    expect(run(word)).toMatchObject({ status: 0, stdout: `sediment ${readVersion()}\n`, stderr: '' });
  });

  it('says of everything else that it is not built', () => {
    const { status, stdout, stderr } = run('version', '--format', 'json');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('npm run build');
  });
});
