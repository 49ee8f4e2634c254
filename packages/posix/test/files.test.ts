import { closeSync, fstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  capabilities,
  close,
  linkat,
  makedev,
  mkdirat,
  mknodat,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDWR,
  openat,
  openat2,
  PosixError,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  readlinkat,
  renameat,
  renameat2,
  S_IFCHR,
  S_IFIFO,
  symlinkat,
  unlinkat,
  write,
} from '../src/index.ts';
import { output } from './support/run.ts';
import { isLinux, isRoot, tempDir } from './support/tempDir.ts';

const NOT_UTF8 = Buffer.from([0x66, 0xff, 0xfe, 0x0a]);

function openDir(path: string): number {
  return openat(AT_FDCWD, path, O_DIRECTORY | O_CLOEXEC);
}

function caught(fn: () => unknown): PosixError {
  try {
    fn();
  } catch (error) {
    expect(error).toBeInstanceOf(PosixError);
    return error as PosixError;
  }
  throw new Error('expected a failure');
}

describe.skipIf(!isLinux)('files (needs Linux)', () => {
  it('makes, links, renames and removes names below a directory descriptor', () => {
    const dir = tempDir();
    const fd = openDir(dir);
    mkdirat(fd, 'sub', 0o750);
    close(openat(fd, 'sub/file', O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o604));
    linkat(fd, 'sub/file', fd, 'hard');
    symlinkat('sub/file', fd, 'soft');
    linkat(fd, 'soft', fd, 'followed', AT_SYMLINK_FOLLOW);
    renameat(fd, 'hard', fd, 'renamed');
    expect(readdirSync(dir).sort()).toEqual(['followed', 'renamed', 'soft', 'sub']);
    expect(output('stat', '-c', '%a %h %F', `${dir}/followed`)).toBe('604 3 regular empty file');
    expect(output('stat', '-c', '%a %N', `${dir}/soft`)).toBe(`777 '${dir}/soft' -> 'sub/file'`);
    expect(readlinkat(fd, 'soft').toString()).toBe('sub/file');
    unlinkat(fd, 'sub/file');
    unlinkat(fd, 'sub', AT_REMOVEDIR);
    expect(readdirSync(dir).sort()).toEqual(['followed', 'renamed', 'soft']);
    close(fd);
    expect(caught(() => close(fd)).code).toBe('EBADF');
  });

  it('takes names as bytes', () => {
    const dir = tempDir();
    const fd = openDir(dir);
    close(openat(fd, NOT_UTF8, O_CREAT | O_RDWR | O_CLOEXEC, 0o600));
    symlinkat(NOT_UTF8, fd, Buffer.from([0xe9]));
    expect(
      readdirSync(dir, 'buffer')
        .map((name) => name.toString('hex'))
        .sort(),
    ).toEqual(['66fffe0a', 'e9']);
    expect(readlinkat(fd, Buffer.from([0xe9]))).toEqual(NOT_UTF8);
    close(fd);
  });

  it('refuses NUL in names instead of cutting them off', () => {
    expect(() => openat(AT_FDCWD, 'a\0b', 0)).toThrow(TypeError);
    expect(() => openat(AT_FDCWD, Buffer.from('a\0b'), 0)).toThrow('path must not contain NUL');
    expect(() => symlinkat('x\0', AT_FDCWD, 'y')).toThrow('target must not contain NUL');
    expect(() => openat(AT_FDCWD, 7 as never, 0)).toThrow('path must be a string or a Buffer');
  });

  it('leaves it to the kernel to refuse names that are too long', () => {
    const long = Buffer.alloc(10_000, 'x');
    expect(caught(() => linkat(AT_FDCWD, long, AT_FDCWD, 'y')).code).toBe('ENAMETOOLONG');
    expect(caught(() => renameat(AT_FDCWD, 'nowhere', AT_FDCWD, long)).code).toBe('ENAMETOOLONG');
  });

  it('writes any part of any buffer', () => {
    const dir = tempDir();
    const fd = openat(AT_FDCWD, `${dir}/file`, O_RDWR | O_CREAT);
    const bytes = Buffer.from('one two three');
    write(fd, bytes.subarray(4, 8));
    write(fd, new Uint8Array(0));
    write(fd, new Uint8Array(new SharedArrayBuffer(3)).fill(0x78));
    write(fd, bytes.subarray(0, 3));
    close(fd);
    expect(readFileSync(`${dir}/file`, 'latin1')).toBe('two xxxone');
    expect(caught(() => write(fd, bytes)).code).toBe('EBADF');
  });

  it('tells code, number, call and paths of a failure', () => {
    const missing = caught(() => openat(AT_FDCWD, '/nowhere/file', O_RDWR));
    expect(missing).toMatchObject({ code: 'ENOENT', errno: 2, syscall: 'openat', path: '/nowhere/file' });
    expect(missing.message).toBe("ENOENT: no such file or directory, openat '/nowhere/file'");
    expect('dest' in missing).toBe(false);
    const rename = caught(() => renameat(AT_FDCWD, '/nowhere/a', AT_FDCWD, Buffer.from([0x2f, 0xff])));
    expect(rename).toMatchObject({ code: 'ENOENT', path: '/nowhere/a', dest: '/\\xff' });
    expect(caught(() => openat(AT_FDCWD, 'x'.repeat(100_000), 0)).code).toBe('ENAMETOOLONG');
  });

  it('renames with flags', () => {
    const dir = tempDir();
    const fd = openDir(dir);
    writeFileSync(`${dir}/a`, 'a');
    writeFileSync(`${dir}/b`, 'b');
    expect(caught(() => renameat2(fd, 'a', fd, 'b', RENAME_NOREPLACE)).code).toBe('EEXIST');
    renameat2(fd, 'a', fd, 'b', RENAME_EXCHANGE);
    expect(readFileSync(`${dir}/a`, 'utf8')).toBe('b');
    close(fd);
  });

  it('leaves a symlink alone with O_NOFOLLOW and reads one through its own descriptor', () => {
    const dir = tempDir();
    symlinkat('/etc', AT_FDCWD, `${dir}/link`);
    expect(caught(() => openat(AT_FDCWD, `${dir}/link`, O_NOFOLLOW)).code).toBe('ELOOP');
    const fd = openat(AT_FDCWD, `${dir}/link`, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    expect(readlinkat(fd, '').toString()).toBe('/etc');
    close(fd);
  });

  it('opens descriptors that Node can use', () => {
    const fd = openat(AT_FDCWD, '/proc/self/status', O_CLOEXEC);
    expect(fstatSync(fd).isFile()).toBe(true);
    closeSync(fd);
  });
});

describe.skipIf(!isRoot)('device nodes (needs root)', () => {
  it('makes a whiteout, a device with large numbers, and a pipe', () => {
    const dir = tempDir();
    mknodat(AT_FDCWD, `${dir}/whiteout`, S_IFCHR, 0);
    mknodat(AT_FDCWD, `${dir}/device`, S_IFCHR | 0o640, makedev(4095, 0xabcde));
    mknodat(AT_FDCWD, `${dir}/pipe`, S_IFIFO | 0o600);
    expect(output('stat', '-c', '%F %t:%T', `${dir}/whiteout`)).toBe('character special file 0:0');
    expect(output('stat', '-c', '%a %t:%T', `${dir}/device`)).toBe('640 fff:abcde');
    expect(output('stat', '-c', '%F', `${dir}/pipe`)).toBe('fifo');
  });

  it('refuses device numbers that Linux does not have', () => {
    expect(() => makedev(4096, 0)).toThrow(RangeError);
    expect(() => makedev(0, -1)).toThrow('minor');
  });
});

describe.skipIf(!isLinux || !capabilities().openat2)(
  'openat2 (needs Linux 5.6 and no filter against it)',
  () => {
    it('keeps absolute symlinks and .. inside the root', () => {
      const dir = tempDir();
      mkdirat(AT_FDCWD, `${dir}/etc`, 0o755);
      writeFileSync(`${dir}/etc/passwd`, 'inside');
      symlinkat('/etc/passwd', AT_FDCWD, `${dir}/absolute`);
      symlinkat('../../../etc/passwd', AT_FDCWD, `${dir}/dots`);
      const root = openDir(dir);
      for (const name of ['absolute', 'dots', '/etc/passwd', '../../etc/passwd']) {
        const fd = openat2(root, name, { flags: O_CLOEXEC, resolve: RESOLVE_IN_ROOT });
        expect(readFileSync(fd, 'utf8')).toBe('inside');
        close(fd);
      }
      close(root);
    });

    it('refuses to leave the directory with RESOLVE_BENEATH', () => {
      const dir = tempDir();
      symlinkat('/etc/passwd', AT_FDCWD, `${dir}/absolute`);
      const root = openDir(dir);
      const how = { flags: O_CLOEXEC, resolve: RESOLVE_BENEATH };
      expect(caught(() => openat2(root, 'absolute', how)).code).toBe('EXDEV');
      expect(caught(() => openat2(root, '../x', how)).code).toBe('EXDEV');
      close(root);
    });

    it('creates with a mode', () => {
      const dir = tempDir();
      const root = openDir(dir);
      const flags = O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC;
      close(openat2(root, 'new', { flags, mode: 0o600, resolve: RESOLVE_IN_ROOT }));
      expect(output('stat', '-c', '%a', `${dir}/new`)).toBe('600');
      close(root);
    });
  },
);
