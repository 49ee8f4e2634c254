import { closeSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeScratchDirectory, removeScratchDirectory } from '../../../../test/support/storeRoot.ts';
import { openByWalk, openInside } from '../../src/drivers/openInside.ts';

/** Both ways must agree: the kernel's resolution, and the one for hosts without openat2. */
describe.each([
  ['openat2', openInside],
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
