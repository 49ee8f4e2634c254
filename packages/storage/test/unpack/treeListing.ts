import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import {
  AT_FDCWD,
  fstatat,
  lgetxattr,
  llistxattr,
  major,
  minor,
  readlinkat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '@sediment/posix';

export interface ListedEntry {
  type: 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';
  mode: string;
  owner: string;
  mtimeNs: bigint;
  size?: number;
  nlink?: number;
  device?: string;
  target?: string;
  sha256?: string;
  xattrs?: Record<string, string>;
}

const TYPES = new Map<number, ListedEntry['type']>([
  [S_IFREG, 'file'],
  [S_IFDIR, 'dir'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'char'],
  [S_IFBLK, 'block'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
]);

/** Every fact of a tree that an image is about, by path; the root is `.`. Bytes appear as Latin-1. */
export function listTree(root: string): Record<string, ListedEntry> {
  const listing: Record<string, ListedEntry> = {};
  walk(Buffer.from(root), '.', listing);
  return listing;
}

/** Only `path: type`, for tables of expected trees. Content of small files and link targets included. */
export function sketchTree(root: string): Record<string, string> {
  const sketch: Record<string, string> = {};
  for (const [path, entry] of Object.entries(listTree(root))) {
    if (path === '.') continue;
    sketch[path] = sketchEntry(root, path, entry);
  }
  return sketch;
}

function sketchEntry(root: string, path: string, entry: ListedEntry): string {
  switch (entry.type) {
    case 'file':
      return `file ${readFileSync(at(Buffer.from(root), path)).toString('latin1')}`.trimEnd();
    case 'symlink':
      return `-> ${entry.target}`;
    case 'char':
      return entry.device === '0:0' ? 'whiteout' : `char ${entry.device}`;
    case 'block':
      return `block ${entry.device}`;
    case 'dir':
      return Object.keys(entry.xattrs ?? {}).some((name) => name.endsWith('.overlay.opaque'))
        ? 'dir opaque'
        : 'dir';
    default:
      return entry.type;
  }
}

function walk(root: Buffer, path: string, listing: Record<string, ListedEntry>): void {
  const full = at(root, path);
  const entry = describe(full);
  listing[path] = entry;
  if (entry.type !== 'dir') return;
  const names = readdirSync(full, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  for (const name of names.sort()) walk(root, path === '.' ? name : `${path}/${name}`, listing);
}

function at(root: Buffer, path: string): Buffer {
  return Buffer.concat([root, Buffer.from('/'), Buffer.from(path, 'latin1')]);
}

function describe(path: Buffer): ListedEntry {
  const stat = fstatat(AT_FDCWD, path);
  const type = TYPES.get(stat.mode & S_IFMT) as ListedEntry['type'];
  const entry: ListedEntry = {
    type,
    mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'),
    owner: `${stat.uid}:${stat.gid}`,
    mtimeNs: stat.mtimeNs,
  };
  if (type !== 'dir') entry.nlink = stat.nlink;
  if (type === 'char' || type === 'block') entry.device = `${major(stat.rdev)}:${minor(stat.rdev)}`;
  if (type === 'symlink') entry.target = readlinkat(AT_FDCWD, path).toString('latin1');
  if (type === 'file') {
    entry.size = stat.size;
    entry.sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  }
  const names = llistxattr(path).filter((name) => name.toString() !== 'security.selinux');
  if (names.length > 0) {
    entry.xattrs = Object.fromEntries(
      names.map((name) => [name.toString('latin1'), lgetxattr(path, name)?.toString('hex') ?? '']).sort(),
    );
  }
  return entry;
}
