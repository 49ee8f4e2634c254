import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface MountEntry {
  mountPoint: string;
  root: string;
  fstype: string;
  source: string;
  options: string;
  superOptions: string;
}

/** The mounts of this process's namespace at or below a directory, in order of mounting. */
export function mountsBelow(directory: string, pid: number | 'self' = 'self'): MountEntry[] {
  return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .trimEnd()
    .split('\n')
    .map(parseMountInfoLine)
    .filter(({ mountPoint }) => mountPoint === directory || mountPoint.startsWith(`${directory}/`));
}

function parseMountInfoLine(line: string): MountEntry {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , root = '', mountPoint = '', options = ''] = before.split(' ');
  const [fstype = '', source = '', superOptions = ''] = after.split(' ');
  return {
    root: unescapePath(root),
    mountPoint: unescapePath(mountPoint),
    options,
    fstype,
    source,
    superOptions,
  };
}

function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Unmounts all that is mounted at or below a directory, the last first. */
export function unmountBelow(directory: string): void {
  for (const { mountPoint } of mountsBelow(directory).reverse()) {
    const result = spawnSync('umount', ['--lazy', '--no-canonicalize', mountPoint], { encoding: 'utf8' });
    if (result.status !== 0 && mountsBelow(mountPoint).length > 0) {
      throw new Error(`cannot unmount ${mountPoint}: ${result.stderr}`);
    }
  }
}
