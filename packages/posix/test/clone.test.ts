import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyFileRange, dedupeRange, ficlone, knownFileSystems, syncfs } from '../src/index.ts';
import { output } from './support/run.ts';
import { isLinux, isRoot, tempDir } from './support/tempDir.ts';

const BLOCKS = 256 * 1024;

function open(path: string, flags: string): number {
  const fd = openSync(path, flags);
  onTestFinished(() => closeSync(fd));
  return fd;
}

describe.skipIf(!isLinux)('copies inside the kernel (need Linux)', () => {
  it('copies until the end of the source', () => {
    const dir = tempDir();
    writeFileSync(`${dir}/a`, 'x'.repeat(100_000));
    const source = open(`${dir}/a`, 'r');
    const destination = open(`${dir}/b`, 'w');
    let total = 0;
    for (let copied = -1; copied !== 0; total += copied) copied = copyFileRange(source, destination, 65_536);
    expect(total).toBe(100_000);
    expect(readFileSync(`${dir}/b`, 'utf8')).toBe('x'.repeat(100_000));
  });

  it('tells where reflinks do not exist', () => {
    const dir = tempDir();
    writeFileSync(`${dir}/a`, 'x');
    const source = open(`${dir}/a`, 'r');
    expect(() => ficlone(open(`${dir}/b`, 'w'), source)).toThrow('ioctl(FICLONE)');
  });

  it('syncs a file system', () => {
    expect(() => syncfs(open(tempDir(), 'r'))).not.toThrow();
    expect(() => syncfs(-1)).toThrow('EBADF');
  });
});

function hasProgram(name: string): boolean {
  return output('sh', '-c', `command -v ${name} || true`) !== '';
}

const reflinkType = ['xfs', 'btrfs'].find(
  (type) => knownFileSystems().includes(type) && hasProgram(`mkfs.${type}`),
);

describe.skipIf(!isRoot || reflinkType === undefined)('reflinks (need root and mkfs of xfs or btrfs)', () => {
  function reflinkDir(): string {
    const dir = tempDir();
    execFileSync('truncate', ['-s', '400M', `${dir}/image`]);
    execFileSync(`mkfs.${reflinkType}`, ['-q', `${dir}/image`]);
    mkdirSync(`${dir}/mnt`);
    execFileSync('mount', ['-o', 'loop', `${dir}/image`, `${dir}/mnt`]);
    onTestFinished(() => void execFileSync('umount', ['-l', `${dir}/mnt`]));
    return `${dir}/mnt`;
  }

  it('clones a file', () => {
    const dir = reflinkDir();
    writeFileSync(`${dir}/a`, Buffer.alloc(BLOCKS, 1));
    ficlone(open(`${dir}/b`, 'w'), open(`${dir}/a`, 'r'));
    expect(readFileSync(`${dir}/b`)).toEqual(Buffer.alloc(BLOCKS, 1));
  });

  it('shares equal ranges and leaves different ones alone', () => {
    const dir = reflinkDir();
    for (const [name, byte] of Object.entries({ a: 1, b: 1, c: 2 })) {
      writeFileSync(`${dir}/${name}`, Buffer.alloc(BLOCKS, byte), { flush: true });
    }
    const request = {
      sourceFd: open(`${dir}/a`, 'r'),
      sourceOffset: 0,
      length: BLOCKS,
      destinationOffset: 0,
    };
    expect(dedupeRange({ ...request, destinationFd: open(`${dir}/b`, 'r+') })).toEqual({
      bytes: BLOCKS,
      same: true,
    });
    expect(dedupeRange({ ...request, destinationFd: open(`${dir}/c`, 'r+') }).same).toBe(false);
    expect(readFileSync(`${dir}/c`)[0]).toBe(2);
  });
});
