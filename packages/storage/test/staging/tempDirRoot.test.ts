import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeScratchDirectory, removeScratchDirectory } from '../../../../test/support/storeRoot.ts';
import { createThenLock, lockOpened, tryLockFile } from '../../src/staging/lockedFile.ts';
import { TempDirRoot } from '../../src/staging/tempDirRoot.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

/** Whether a POSIX record lock, as Go programs take them, is refused. */
function isLockedForOthers(path: string): boolean {
  const script = 'import fcntl,sys\nf=open(sys.argv[1],"r+")\nfcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB)';
  return spawnSync('python3', ['-c', script, path]).status !== 0;
}

describe('TempDirRoot', () => {
  let scratch: string;
  let root: TempDirRoot;

  beforeEach(() => {
    scratch = makeScratchDirectory('staging');
    root = new TempDirRoot(join(scratch, 'tempdirs'));
  });
  afterEach(() => removeScratchDirectory(scratch));

  const only = (prefix: string): string => {
    const names = readdirSync(root.root).filter((name) => name.startsWith(prefix));
    expect(names).toHaveLength(1);
    return join(root.root, names[0] as string);
  };

  it('makes a locked directory of the upstream form, private whatever the umask is', () => {
    const before = process.umask(0o077);
    try {
      const dir = root.create();
      expect(dir.path).toBe(only('temp-dir-'));
      expect(basename(only('lock-')).slice('lock-'.length)).toBe(
        basename(dir.path).slice('temp-dir-'.length),
      );
      expect(basename(dir.path)).toMatch(/^temp-dir-\d+$/);
      expect([root.root, dir.path].map(modeOf)).toEqual([0o1700, 0o700]);
      expect(modeOf(only('lock-'))).toBe(0o600);
      expect(isLockedForOthers(only('lock-'))).toBe(true);
      dir.cleanup();
      expect(readdirSync(root.root)).toEqual([]);
    } finally {
      process.umask(before);
    }
  });

  it('stages additions and deletions with a running number', () => {
    const dir = root.create();
    writeFileSync(join(scratch, 'gone'), 'x');
    mkdirSync(join(scratch, 'directory/sub'), { recursive: true });
    expect(basename(dir.stageAddition())).toBe('0-addition');
    dir.stageDeletion(join(scratch, 'gone'));
    dir.stageDeletion(join(scratch, 'missing'));
    dir.stageDeletion(join(scratch, 'directory'));
    expect(basename(dir.stageAddition())).toBe('4-addition');
    expect(readdirSync(dir.path).sort()).toEqual(['1-gone', '3-directory']);
    expect(readFileSync(join(dir.path, '1-gone'), 'utf8')).toBe('x');
    dir.cleanup();
    expect(existsSync(dir.path)).toBe(false);
  });

  it('can be cleaned up twice and not be used afterwards', () => {
    const dir = root.create();
    dir.cleanup();
    dir.cleanup();
    expect(() => dir.stageAddition()).toThrow(TypeError);
  });

  it('collects what nobody holds and leaves what is in use', () => {
    const used = root.create();
    const leftOver = (number: number, lock: boolean, directory: boolean): void => {
      if (lock) writeFileSync(join(root.root, `lock-${number}`), '');
      if (directory) mkdirSync(join(root.root, `temp-dir-${number}/0-addition/d`), { recursive: true });
    };
    leftOver(1, true, true);
    leftOver(2, false, true);
    leftOver(3, true, false);
    mkdirSync(join(root.root, 'something-else'));
    const other = new TempDirRoot(root.root);
    const names = readdirSync(root.root).sort();
    expect(other.countStale()).toBe(3);
    expect(readdirSync(root.root).sort()).toEqual(names);
    expect(other.recover()).toBe(3);
    expect(existsSync(used.path)).toBe(true);
    expect(readdirSync(root.root)).toHaveLength(3);
    expect(other.countStale()).toBe(0);
    used.cleanup();
  });

  it('counts and collects nothing where there is no directory', () => {
    expect(root.countStale()).toBe(0);
    expect(root.recover()).toBe(0);
    expect(existsSync(root.root)).toBe(false);
  });

  it('tells of left-overs that cannot be removed, and goes on', () => {
    mkdirSync(join(scratch, 'tempdirs/temp-dir-2'), { recursive: true });
    mkdirSync(join(scratch, 'tempdirs/lock-1'));
    const warnings: string[] = [];
    const lenient = new TempDirRoot(root.root, { onWarning: ({ code }) => warnings.push(code) });
    expect(lenient.recover()).toBe(1);
    expect(warnings).toEqual(['DEBRIS_LEFT']);
    expect(() => root.recover()).toThrow(expect.objectContaining({ code: 'IO' }));
  });

  it('its last user takes the root away, whoever of us made it', () => {
    const dir = root.create();
    const other = new TempDirRoot(root.root);
    const second = other.create();
    dir.cleanup();
    root.removeRootIfEmpty();
    expect(existsSync(root.root)).toBe(true);
    expect(other.hasEmptyRoot()).toBe(false);
    second.cleanup();
    expect(other.hasEmptyRoot()).toBe(true);
    other.removeRootIfEmpty();
    expect(existsSync(root.root)).toBe(false);
    root.removeRootIfEmpty();
    expect(root.hasEmptyRoot()).toBe(false);
  });

  it('leaves a root that another program made', () => {
    mkdirSync(root.root, { mode: 0o700 });
    root.create().cleanup();
    expect(root.hasEmptyRoot()).toBe(false);
    root.removeRootIfEmpty();
    expect(existsSync(root.root)).toBe(true);
  });

  it('makes its root again when another program took it away', () => {
    root.create().cleanup();
    rmdirSync(root.root);
    const dir = root.create();
    expect(existsSync(dir.path)).toBe(true);
    dir.cleanup();
  });

  it('says so when the place for the root is missing', () => {
    rmSync(scratch, { recursive: true });
    expect(() => root.create()).toThrow(expect.objectContaining({ code: 'IO' }));
  });
});

describe('lock files without O_TMPFILE', () => {
  let scratch: string;
  beforeEach(() => {
    scratch = makeScratchDirectory('staging');
  });
  afterEach(() => removeScratchDirectory(scratch));

  it('are made and locked', () => {
    const path = join(scratch, 'lock-1');
    const file = createThenLock(path);
    expect(isLockedForOthers(path)).toBe(true);
    expect(createThenLock(path)).toBeUndefined();
    expect(tryLockFile(path, { create: false })).toBeUndefined();
    file?.release();
    expect(isLockedForOthers(path)).toBe(false);
    tryLockFile(path, { create: false })?.remove();
    expect(existsSync(path)).toBe(false);
    expect(tryLockFile(path, { create: false })).toBeUndefined();
  });

  it('do not count once their last owner removed or replaced the name', () => {
    const path = join(scratch, 'lock-1');
    writeFileSync(path, '');
    const opened = [openSync(path, 'r+'), openSync(path, 'r+'), openSync(path, 'r+')] as const;
    const locked = lockOpened(path, opened[0]);
    expect(locked).toBeDefined();
    locked?.release();
    rmSync(path);
    expect(lockOpened(path, opened[1])).toBeUndefined();
    writeFileSync(path, '');
    expect(lockOpened(path, opened[2])).toBeUndefined();
    tryLockFile(path, { create: false })?.remove();
    expect(existsSync(path)).toBe(false);
  });
});
