import { statfsSync } from 'node:fs';

/** Names that containers/storage shows for the magic numbers of statfs(2) (`drivers/driver_linux.go`). */
const NAMES: Readonly<Record<number, string>> = {
  1635083891: 'aufs',
  2435016766: 'btrfs',
  684539205: 'cramfs',
  61791: 'ecryptfs',
  61267: 'extfs',
  4076150800: 'f2fs',
  1702057286: 'fuse',
  1196443219: 'gpfs',
  29366: 'jffs2',
  827541066: 'jfs',
  26985: 'nfs',
  2035054128: 'overlayfs',
  2240043254: 'ramfs',
  1382369651: 'reiserfs',
  20859: 'smb',
  1936814952: 'squashfs',
  16914836: 'tmpfs',
  2768370933: 'vxfs',
  1481003842: 'xfs',
  801189825: 'zfs',
  // Network file systems without a shown name of their own; overlay needs to know them.
  1633904243: 'acfs',
  1397113167: 'afs',
  12805120: 'ceph',
  4283649346: 'cifs',
  4266872130: 'smb2',
  1852207972: 'nfsd',
  1952539503: 'ocfs2',
  198183888: 'lustre',
  2866260714: 'panfs',
  2020557398: 'vboxsf',
};

const NETWORK = new Set(
  'nfs smb smb2 cifs acfs afs ceph gpfs nfsd ocfs2 lustre panfs vboxsf vxfs'.split(' '),
);

export const UNKNOWN_FILE_SYSTEM = '<unknown>';

/** Name of the file system that holds `path`, or `<unknown>`. */
export function fileSystemName(path: string): string {
  return NAMES[statfsSync(path).type >>> 0] ?? UNKNOWN_FILE_SYSTEM;
}

/** Whether overlay mounts of a user namespace fail on it. */
export function isNetworkFileSystem(name: string): boolean {
  return NETWORK.has(name);
}
