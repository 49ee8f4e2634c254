import { readFileSync } from 'node:fs';
import { errnoCode, StorageError } from '@sediment/core';

interface Obstacle {
  readonly path: string;
  readonly value: string;
  readonly hint: string;
}

/** Settings of the kernel that keep ordinary users from making namespaces. */
const OBSTACLES: readonly Obstacle[] = [
  {
    path: '/proc/sys/user/max_user_namespaces',
    value: '0',
    hint: 'an administrator can allow user namespaces with "sysctl user.max_user_namespaces=15000"',
  },
  {
    path: '/proc/sys/kernel/unprivileged_userns_clone',
    value: '0',
    hint: 'an administrator can allow user namespaces with "sysctl kernel.unprivileged_userns_clone=1"',
  },
  {
    path: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    value: '1',
    hint: 'AppArmor allows user namespaces to listed programs only: add a profile, or "sysctl kernel.apparmor_restrict_unprivileged_userns=0"',
  },
];

/** By which a shell says that there is no such program. */
const NOT_FOUND = 127;

export interface Refusal {
  /** `unshare` or `nsenter`. */
  readonly program: string;
  /** What it printed, and its exit status. */
  readonly said: string;
  readonly status: number | null;
}

/** The error for a namespace that could not be made or entered. */
export function namespaceRefused({ program, said, status }: Refusal): StorageError {
  if (status === NOT_FOUND) {
    return new StorageError('NEEDS_USERNS', `${program}: executable file not found in $PATH`, {
      object: program,
      hint: `install ${program} (package util-linux), or run it as root`,
    });
  }
  const reason = said.trim().split('\n').at(-1) ?? '';
  const text = reason === '' ? `${program} ended without a word` : reason;
  const obstacle = OBSTACLES.find(({ path, value }) => setting(path) === value);
  return new StorageError('NEEDS_USERNS', `cannot enter a user namespace: ${text}`, {
    object: program,
    ...(obstacle === undefined ? {} : { path: obstacle.path }),
    hint:
      obstacle?.hint ??
      'run it as root, or where user namespaces are allowed (not in a container that forbids them)',
  });
}

function setting(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    // Not every kernel has every setting, and a sandbox may hide them: then nothing is known.
    if (['ENOENT', 'EACCES', 'EPERM'].includes(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}
