import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { rootSkipReason } from '../hostAbility.ts';
import { mountsBelow } from '../mounts.ts';

export type DiskFileSystem = 'ext4' | 'xfs' | 'btrfs';

interface Making {
  readonly megabytes: number;
  readonly options: readonly string[];
  /** For a copy of the disk: copies have one and the same identity. */
  readonly mountOptions: readonly string[];
}

/** As small as each can be, so that a copy takes little time, and all of it is there from the start. */
const MAKING: Record<DiskFileSystem, Making> = {
  ext4: {
    megabytes: 256,
    options: ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0,nodiscard', '-N', '32768'],
    mountOptions: [],
  },
  xfs: { megabytes: 320, options: ['-q', '-f', '-K'], mountOptions: ['nouuid'] },
  btrfs: { megabytes: 320, options: ['-q', '-f', '-K'], mountOptions: [] },
};

const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Why no power can be cut here on a disk with that file system; undefined when it can. */
export function powerCutSkipReason(kind: DiskFileSystem): string | undefined {
  if (rootSkipReason !== undefined) return rootSkipReason;
  for (const device of ['/dev/fuse', '/dev/loop-control']) {
    if (!existsSync(device) || !opens(device)) return `needs ${device}`;
  }
  const { status } = spawnSync(`mkfs.${kind}`, ['-V'], { env: ENV });
  if (status !== 0) return `needs mkfs.${kind}`;
  return canMount(kind) ? undefined : `the kernel has no ${kind}`;
}

function opens(device: string): boolean {
  try {
    closeSync(openSync(device, 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** Loads the module, if it is one, and looks whether the kernel knows the file system then. */
function canMount(kind: DiskFileSystem): boolean {
  const list = spawnSync('sh', ['-c', `modprobe -q ${kind} 2>/dev/null; cat /proc/filesystems`], {
    encoding: 'utf8',
    env: ENV,
  });
  return list.stdout.split('\n').some((line) => line.trim() === kind);
}

/** Makes an image file with an empty file system. */
export function makeFileSystem(kind: DiskFileSystem, image: string): void {
  const { megabytes, options } = MAKING[kind];
  closeSync(openSync(image, 'wx'));
  truncateSync(image, megabytes << 20);
  mustDo(`mkfs.${kind}`, [...options, image]);
}

/** Mounts an image by a loop device, which goes when it is unmounted. What its journal holds is replayed. */
export function mountImage(kind: DiskFileSystem, image: string, directory: string): void {
  const options = ['loop', ...MAKING[kind].mountOptions].join(',');
  mustDo('mount', ['-t', kind, '-o', options, image, directory]);
  rmSync(join(directory, 'lost+found'), { recursive: true, force: true });
}

/** Unmounts all at and below a directory; nothing may be in use there. */
export function unmountAll(directory: string): void {
  for (const { mountPoint } of mountsBelow(directory).reverse()) mustDo('umount', [mountPoint]);
}

function mustDo(program: string, args: string[]): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8', env: ENV });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? stderr}`);
}
