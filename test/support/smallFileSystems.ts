import { spawnSync } from 'node:child_process';
import { closeSync, openSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Mounts a file system in memory, such as one with `size=1m` or `nr_inodes=100`. */
export function mountSmall(directory: string, options: string): void {
  mount(['-t', 'tmpfs', '-o', `mode=700,${options}`, 'tmpfs', directory]);
}

/** Mounts a directory over itself, read-only. */
export function mountReadOnly(directory: string): void {
  mount(['--bind', directory, directory]);
  mount(['-o', 'remount,bind,ro', directory]);
}

/** Uses up the files that a small file system may hold. */
export function fillInodes(directory: string): void {
  for (let i = 0; ; i++) {
    try {
      closeSync(openSync(join(directory, `filler-${i}`), 'wx'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}

/** Uses up the space of a small file system but for some pages of memory. */
export function fillSpace(file: string, pagesLeft: number): void {
  writeFileSync(file, '');
  const { bavail, bsize } = statfsSync(file);
  writeFileSync(file, Buffer.alloc((bavail - pagesLeft) * bsize));
}

function mount(args: string[]): void {
  const { status, error, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${error ?? stderr}`);
}
