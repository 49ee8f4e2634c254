import { type PeerOptions, peerPath, podmanRoots } from './peers.ts';
import { type RunResult, runProgram, succeeded } from './runProgram.ts';
import type { StoreRoot } from './storeRoot.ts';

/**
 * `podman run` on any host: crun wants a pure cgroup2 hierarchy, which some hosts do not have, so the
 * container runs in a mount namespace where `/sys/fs/cgroup` is a fresh one, without network or cgroup
 * of its own.
 *
 * @param args what follows `podman run`: further options, the image, the command
 */
export async function podmanRun(
  store: StoreRoot,
  args: string[],
  options: PeerOptions = {},
): Promise<RunResult> {
  const run = ['run', '--network', 'none', '--cgroups=disabled', ...args];
  const script = 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"';
  const result = await runProgram(
    '/usr/bin/unshare',
    ['--mount', '/bin/sh', '-c', script, 'sh', peerPath('podman'), ...podmanRoots(store), ...run],
    { ...options, env: { ...store.env, ...options.env } },
  );
  return options.mayFail ? result : succeeded(result);
}
