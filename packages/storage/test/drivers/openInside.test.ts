import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeScratchDirectory, removeScratchDirectory } from '../../../../test/support/storeRoot.ts';
import { InsideDirectory, openByWalk, openInside } from '../../src/drivers/openInside.ts';

/** All ways must agree: the kernel's resolution, once or by directories, and the one for hosts without openat2. */
describe.each([
  ['openat2', openInside],
  ['directory', openByDirectory],
  ['walk', (root: string, name: Buffer) => openByWalk(root, name)?.fd],
] as const)('opening a file inside of a tree by %s', (_, open) => {
  let scratch: string;
  let root: string;

  beforeEach(() => {
    scratch = makeScratchDirectory('inside');
    root = join(scratch, 'root');
    mkdirSync(join(root, 'dir/sub'), { recursive: true });
    writeFileSync(join(scratch, 'secret'), 'secret');
    writeFileSync(join(root, 'file'), 'file');
    writeFileSync(join(root, 'dir/sub/inner'), 'inner');
  });
  afterEach(() => removeScratchDirectory(scratch));

  const read = (name: string | Buffer): string | undefined => {
    let fd: number | undefined;
    try {
      fd = open(root, Buffer.from(name as string));
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
    if (fd === undefined) return undefined;
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  };

  it('finds plain names', () => {
    for (const name of ['file', '/file', './file', 'dir/../file', '../../file', 'dir//sub/../../file']) {
      expect(read(name), name).toBe('file');
    }
    expect(read('dir/sub/inner')).toBe('inner');
  });

  it('follows symlinks in the way, inside of the tree', () => {
    symlinkSync('/dir', join(root, 'absolute'));
    symlinkSync('dir/sub', join(root, 'relative'));
    symlinkSync('../../../../dir/sub', join(root, 'dir/up'));
    symlinkSync('relative', join(root, 'twice'));
    for (const name of ['absolute/sub/inner', 'relative/inner', 'dir/up/inner', 'twice/inner']) {
      expect(read(name), name).toBe('inner');
    }
  });

  it('does not leave the tree, and opens no symlink', () => {
    symlinkSync(scratch, join(root, 'out'));
    symlinkSync('../secret', join(root, 'secret'));
    symlinkSync('file', join(root, 'link'));
    symlinkSync('loop', join(root, 'loop'));
    for (const name of [
      'out/secret',
      'secret',
      'link',
      'loop/x',
      '../secret',
      `../../../..${scratch}/secret`,
    ]) {
      expect([undefined, 'ENOENT', 'ELOOP'], name).toContain(read(name));
    }
  });

  it('opens no directory', () => {
    for (const name of ['dir', '/', '.', '..', 'dir/..']) expect(read(name), name).toBeUndefined();
  });
});

describe('a directory that is opened in many times', () => {
  let root: string;

  beforeEach(() => {
    root = makeScratchDirectory('inside');
    mkdirSync(join(root, 'a'));
    mkdirSync(join(root, 'ab'));
    for (const name of ['top', 'a/x', 'ab/x']) writeFileSync(join(root, name), name);
  });
  afterEach(() => removeScratchDirectory(root));

  it('tells directories apart, whatever becomes of the buffer with the name, and leaves no descriptor', () => {
    const before = readdirSync('/proc/self/fd').length;
    const directory = new InsideDirectory(root);
    const name = Buffer.alloc(8);
    for (const wanted of ['a/x', 'ab/x', 'a/x', 'top', 'ab/x', './a/x', 'top']) {
      const length = name.write(wanted);
      const opened = directory.open(name.subarray(0, length));
      expect(opened?.size, wanted).toBe(wanted.replace('./', '').length);
      expect(readFileSync(opened?.fd as number, 'utf8')).toBe(wanted.replace('./', ''));
      opened?.close(opened.fd);
    }
    expect(directory.open(Buffer.from('nowhere/x'))).toBeUndefined();
    expect(directory.open(Buffer.from('top/x'))).toBeUndefined();
    directory.close();
    directory.close();
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });

  it.runIf(process.getuid?.() === 0)('opens neither pipe nor device', () => {
    execFileSync('mkfifo', [join(root, 'a/pipe')]);
    execFileSync('mknod', [join(root, 'a/null'), 'c', '1', '3']);
    const directory = new InsideDirectory(root);
    for (const name of ['a/pipe', 'a/null']) expect(directory.open(Buffer.from(name)), name).toBeUndefined();
    directory.close();
  });
});

it('takes a name as it was when the file was made: cleaned as text', () => {
  const root = makeScratchDirectory('inside');
  try {
    writeFileSync(join(root, 'file'), 'file');
    const fd = openInside(root, Buffer.from('./nothing/../file'));
    expect(fd).toBeDefined();
    closeSync(fd as number);
  } finally {
    removeScratchDirectory(root);
  }
});

function openByDirectory(root: string, name: Buffer): number | undefined {
  const directory = new InsideDirectory(root);
  try {
    return directory.open(name)?.fd;
  } finally {
    directory.close();
  }
}
