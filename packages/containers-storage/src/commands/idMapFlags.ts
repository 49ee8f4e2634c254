import type { IdMapRequest } from '@sediment/storage';
import { booleanFlag, type Flag, stringFlag } from '../commandLine/flag.ts';
import type { FlagValues } from '../commandLine/flagValues.ts';

export const ID_MAP_FLAGS: readonly Flag[] = [
  booleanFlag(['--hostuidmap'], 'Force host UID map'),
  booleanFlag(['--hostgidmap'], 'Force host GID map'),
  stringFlag(['--uidmap'], 'UID map'),
  stringFlag(['--gidmap'], 'GID map'),
  stringFlag(['--subuidmap'], 'subuid UID map for a user'),
  stringFlag(['--subgidmap'], 'subgid GID map for a group'),
];

/** Which owners the files of a new layer shall have, as the flags say. */
export async function readIdMapFlags(flags: FlagValues): Promise<IdMapRequest> {
  const { readIdMapRequest } = await import('@sediment/storage');
  return readIdMapRequest({
    hostUidMap: flags.boolean('--hostuidmap'),
    hostGidMap: flags.boolean('--hostgidmap'),
    uidMap: flags.string('--uidmap'),
    gidMap: flags.string('--gidmap'),
    subUidMap: flags.string('--subuidmap'),
    subGidMap: flags.string('--subgidmap'),
  });
}
