import { closeSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { MS_BIND, MS_RDONLY, MS_REMOUNT, mount, umount2 } from '@sediment/posix';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { openLockFile } from '../../src/locks/openLockFile.ts';
import { tempDir } from './support/tempDir.ts';

const umask = process.umask();

function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8);
}

describe.skipIf(process.platform === 'win32')('openLockFile (needs POSIX modes)', () => {
  afterEach(() => void process.umask(umask));

  it.each([0o000, 0o022, 0o077, 0o277])('makes files 0644 and directories 0700 under umask %o', (mask) => {
    const dir = tempDir();
    process.umask(mask);
    closeSync(openLockFile(`${dir}/a/b/x.lock`, false));
    closeSync(openLockFile(`${dir}/a/y.lock`, true));
    process.umask(umask);
    const made = ['a', 'a/b', 'a/b/x.lock', 'a/y.lock'].map((name) => modeOf(`${dir}/${name}`));
    expect(made).toEqual(['700', '700', '644', '644']);
  });

  it('makes no directories in a store that is only read', () => {
    const dir = tempDir();
    expect(() => openLockFile(`${dir}/a/x.lock`, true)).toThrow(
      expect.objectContaining({
        code: 'LOCK_FAILED',
        facts: expect.objectContaining({ errnoCode: 'ENOENT' }),
      }),
    );
    expect(existsSync(`${dir}/a`)).toBe(false);
  });

  it('leaves what exists as it is', () => {
    const path = `${tempDir()}/x.lock`;
    writeFileSync(path, 'token', { mode: 0o600 });
    closeSync(openLockFile(path, false));
    expect([modeOf(path), statSync(path).size]).toEqual(['600', 5]);
  });

  it('fails for paths that cannot be a lock file, instead of trying for ever', () => {
    const dir = tempDir();
    writeFileSync(`${dir}/file`, '');
    mkdirSync(`${dir}/directory`);
    symlinkSync('nowhere', `${dir}/dangling`);
    for (const path of [
      `${dir}/file/x.lock`,
      `${dir}/directory`,
      `${dir}/dangling`,
      `${dir}/dangling/x.lock`,
    ]) {
      expect(() => openLockFile(path, false), path).toThrow(
        expect.objectContaining({ code: 'LOCK_FAILED', facts: expect.objectContaining({ path }) }),
      );
    }
  });
});

describe.skipIf(process.getuid?.() !== 0)('openLockFile where it may not write (needs root)', () => {
  it('tells read-only media', () => {
    const dir = tempDir();
    writeFileSync(`${dir}/existing.lock`, '');
    mount({ source: dir, target: dir, flags: MS_BIND });
    onTestFinished(() => umount2(dir));
    mount({ source: 'none', target: dir, flags: MS_BIND | MS_REMOUNT | MS_RDONLY });
    const readOnly = { code: 'STORE_READ_ONLY', facts: expect.objectContaining({ errnoCode: 'EROFS' }) };
    expect(() => openLockFile(`${dir}/existing.lock`, false)).toThrow(expect.objectContaining(readOnly));
    expect(() => openLockFile(`${dir}/missing.lock`, true)).toThrow(expect.objectContaining(readOnly));
    closeSync(openLockFile(`${dir}/existing.lock`, true));
  });

  it('tells missing permission, with a hint', () => {
    const dir = tempDir();
    process.seteuid?.(65_534);
    onTestFinished(() => process.seteuid?.(0));
    expect(() => openLockFile(`${dir}/x.lock`, false)).toThrow(
      expect.objectContaining({ code: 'PERMISSION_DENIED', hint: expect.stringContaining('owner') }),
    );
  });
});
