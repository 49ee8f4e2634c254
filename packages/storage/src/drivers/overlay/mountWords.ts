import {
  MS_DIRSYNC,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_RELATIME,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
} from '@sediment/posix';

/** Words of mount(8) that are flags of mount(2), not options of the file system; `clear` takes one back. */
const FLAG_WORDS: Readonly<Record<string, { readonly flag: number; readonly clear?: true }>> = {
  defaults: { flag: 0 },
  ro: { flag: MS_RDONLY },
  rw: { flag: MS_RDONLY, clear: true },
  suid: { flag: MS_NOSUID, clear: true },
  nosuid: { flag: MS_NOSUID },
  dev: { flag: MS_NODEV, clear: true },
  nodev: { flag: MS_NODEV },
  exec: { flag: MS_NOEXEC, clear: true },
  noexec: { flag: MS_NOEXEC },
  sync: { flag: MS_SYNCHRONOUS },
  async: { flag: MS_SYNCHRONOUS, clear: true },
  dirsync: { flag: MS_DIRSYNC },
  atime: { flag: MS_NOATIME, clear: true },
  noatime: { flag: MS_NOATIME },
  diratime: { flag: MS_NODIRATIME, clear: true },
  nodiratime: { flag: MS_NODIRATIME },
  relatime: { flag: MS_RELATIME },
  norelatime: { flag: MS_RELATIME, clear: true },
  strictatime: { flag: MS_STRICTATIME },
  nostrictatime: { flag: MS_STRICTATIME, clear: true },
};

/** Parts a list of mount options into flags for mount(2) and the rest, which keeps its order. */
export function partMountOptions(options: readonly string[]): { flags: number; rest: string[] } {
  let flags = 0;
  const rest: string[] = [];
  for (const option of options) {
    const word = Object.hasOwn(FLAG_WORDS, option) ? FLAG_WORDS[option] : undefined;
    if (word === undefined) rest.push(option);
    else flags = word.clear ? flags & ~word.flag : flags | word.flag;
  }
  return { flags, rest };
}
