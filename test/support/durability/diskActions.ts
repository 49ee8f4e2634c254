import { posix } from 'node:path';
import { pathOfDescriptor, type TracedCall, textOf } from './traceLines.ts';

/** What a call means for what is on the disk. Times are lines of the trace. */
export type DiskAction = { readonly start: number; readonly end: number } & (
  | {
      readonly kind: 'write' | 'make' | 'change' | 'remove' | 'sync' | 'range' | 'sync all';
      readonly path: string;
    }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly path: string }
);

type Meaning = (call: TracedCall) => readonly Bare[];
type Bare = DiskAction extends infer Each
  ? Each extends DiskAction
    ? Omit<Each, 'start' | 'end'>
    : never
  : never;

const WAIT_AFTER = 'SYNC_FILE_RANGE_WAIT_AFTER';

const ofFd =
  (kind: 'write' | 'change' | 'sync' | 'sync all'): Meaning =>
  ({ args }) =>
    about(kind, pathOfDescriptor(args[0]));
const ofName =
  (kind: 'make' | 'change' | 'remove'): Meaning =>
  ({ args }) =>
    about(kind, textOf(args[0]));
const ofNameAt =
  (kind: 'make' | 'change' | 'remove'): Meaning =>
  ({ args }) =>
    about(kind, pathAt(args[0], args[1]));
/** Of two paths: the second is made. */
const ofTwo =
  (kind: 'rename' | 'link', at: boolean): Meaning =>
  ({ args }) => {
    const from = at ? pathAt(args[0], args[1]) : textOf(args[0]);
    const path = at ? pathAt(args[2], args[3]) : textOf(args[1]);
    return from === undefined || path === undefined ? [] : [{ kind, from, path }];
  };
/** A new file has a name and no data yet. */
const opened: Meaning = ({ args, result }) => {
  const flags = args.find((arg) => arg.includes('O_')) ?? '';
  const path = pathOfDescriptor(result);
  if (flags.includes('O_CREAT')) return about(flags.includes('O_EXCL') ? 'make' : 'change', path);
  return flags.includes('O_TRUNC') ? about('write', path) : [];
};

const MEANINGS: Record<string, Meaning> = {
  open: opened,
  openat: opened,
  openat2: opened,
  creat: ({ result }) => about('change', pathOfDescriptor(result)),
  write: ofFd('write'),
  writev: ofFd('write'),
  pwrite64: ofFd('write'),
  pwritev: ofFd('write'),
  pwritev2: ofFd('write'),
  ftruncate: ofFd('write'),
  fallocate: ofFd('write'),
  copy_file_range: ({ args }) => about('write', pathOfDescriptor(args[2])),
  sendfile: ofFd('write'),
  ioctl: (call) => (/FICLONE/.test(call.args[1] ?? '') ? ofFd('write')(call) : []),
  truncate: ({ args }) => about('write', textOf(args[0])),
  fchmod: ofFd('change'),
  fchown: ofFd('change'),
  fsetxattr: ofFd('change'),
  fremovexattr: ofFd('change'),
  chmod: ofName('change'),
  chown: ofName('change'),
  lchown: ofName('change'),
  setxattr: ofName('change'),
  lsetxattr: ofName('change'),
  lremovexattr: ofName('change'),
  mkdir: ofName('make'),
  mknod: ofName('make'),
  fchmodat: ofNameAt('change'),
  fchownat: ofNameAt('change'),
  mkdirat: ofNameAt('make'),
  mknodat: ofNameAt('make'),
  utimensat: (call) => (call.args[1] === 'NULL' ? ofFd('change')(call) : ofNameAt('change')(call)),
  symlink: ({ args }) => about('make', textOf(args[1])),
  symlinkat: ({ args }) => about('make', pathAt(args[1], args[2])),
  rename: ofTwo('rename', false),
  renameat: ofTwo('rename', true),
  renameat2: ofTwo('rename', true),
  link: ofTwo('link', false),
  linkat: ofTwo('link', true),
  unlink: ofName('remove'),
  rmdir: ofName('remove'),
  unlinkat: ofNameAt('remove'),
  fsync: ofFd('sync'),
  fdatasync: ofFd('sync'),
  sync_file_range: (call) =>
    call.args.some((arg) => arg.includes(WAIT_AFTER)) ? about('range', pathOfDescriptor(call.args[0])) : [],
  syncfs: ofFd('sync all'),
  sync: () => [{ kind: 'sync all', path: '/' }],
};

/** The calls that a trace must hold. */
export const DISK_CALLS: readonly string[] = Object.keys(MEANINGS);

/** What calls did to the disk, in the order in which they ended. */
export function diskActions(calls: readonly TracedCall[]): DiskAction[] {
  return calls.flatMap((call) =>
    (MEANINGS[call.name]?.(call) ?? []).map((bare) => ({ ...bare, start: call.start, end: call.end })),
  );
}

function about(kind: Exclude<DiskAction['kind'], 'rename' | 'link'>, path: string | undefined): Bare[] {
  return path === undefined ? [] : [{ kind, path }];
}

/** `"name"` in a directory that is given by descriptor; the directory itself for an empty name. */
function pathAt(directory: string | undefined, name: string | undefined): string | undefined {
  const text = textOf(name);
  if (text === undefined) return undefined;
  if (text.startsWith('/')) return text;
  const base = pathOfDescriptor(directory);
  return base === undefined ? undefined : posix.join(base, text);
}
