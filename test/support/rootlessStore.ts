import { chmodSync, chownSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peerPath } from './peers.ts';
import { type RunOptions, type RunResult, runProgram, succeeded } from './runProgram.ts';
import { makeScratchDirectory, removeScratchDirectory, type StoreRoot } from './storeRoot.ts';
import { makeUnprivilegedUser, type UnprivilegedUser, type UserOptions } from './unprivilegedUser.ts';

export type Command = 'sediment' | 'containers-storage';

/** The store that an ordinary user has at the default place, with what is needed to work on it as that user. */
export interface RootlessStore extends AsyncDisposable {
  readonly user: UnprivilegedUser;
  /** The places, for a look at them as root of the host. */
  readonly store: StoreRoot;
  /** Runs a built command of ours; a failure throws. */
  ours(command: Command, args: string[], options?: RunOptions): Promise<RunResult>;
  /** The words that run it. */
  oursArgv(command: Command, ...args: string[]): string[];
  /** Runs podman as the user; a failure throws. The first call starts its pause process. */
  podman(args: string[], options?: RunOptions): Promise<RunResult>;
}

const PACKAGES = fileURLToPath(new URL('../../packages/', import.meta.url));

/** Makes a user with an empty home. */
export function makeRootlessStore(options?: UserOptions): RootlessStore {
  const user = makeUnprivilegedUser(options);
  const own = (path: string): string => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chownSync(path, user.uid, user.gid);
    return path;
  };
  own(join(user.home, '.config'));
  const configuration = own(join(user.home, '.config/containers'));
  writeFileSync(join(configuration, 'containers.conf'), CONTAINERS_CONF);
  const tmp = own(join(user.path, 'tmp'));
  const programs = copyCommands();
  const oursArgv = (command: Command, ...args: string[]): string[] => [
    process.execPath,
    join(programs, PROGRAMS[command]),
    ...args,
  ];
  let podmanStarted = false;
  return {
    user,
    store: {
      path: user.path,
      driver: 'overlay',
      graphRoot: join(user.home, '.local/share/containers/storage'),
      runRoot: join(user.runtimeDirectory, 'containers'),
      tmp,
      libpodTmp: join(user.runtimeDirectory, 'libpod/tmp'),
      env: user.env,
      dispose: () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    },
    oursArgv,
    ours: async (command, args, run) =>
      await user.mustRun(oursArgv(command, ...args), { ...run, env: { TMPDIR: tmp, ...run?.env } }),
    podman: async (args, run) => {
      if (!podmanStarted) succeeded(await startPodman(user));
      podmanStarted = true;
      return await user.mustRun([peerPath('podman'), ...args], run);
    },
    [Symbol.asyncDispose]: async () => {
      await user[Symbol.asyncDispose]();
      removeScratchDirectory(programs);
    },
  };
}

const CONTAINERS_CONF = `[containers]
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
`;

/** Below the directory of the packages. */
const PROGRAMS: Record<Command, string> = {
  sediment: 'cli/bin/sediment.cjs',
  'containers-storage': 'containers-storage/bin/containers-storage.cjs',
};

/** The checkout may lie where only root can read; what is installed does not. */
function copyCommands(): string {
  const programs = makeScratchDirectory('programs');
  chmodSync(programs, 0o755);
  for (const directory of ['cli', 'containers-storage']) {
    for (const part of ['bin', 'dist', 'package.json']) {
      cpSync(join(PACKAGES, directory, part), join(programs, directory, part), {
        recursive: true,
        filter: (path) => !path.endsWith('.map') && !path.endsWith('/types'),
      });
    }
  }
  const koffi = dirname(createRequire(import.meta.url).resolve('koffi'));
  for (const name of ['koffi', '@koromix']) {
    cpSync(join(koffi, '..', name), join(programs, 'node_modules', name), { recursive: true });
  }
  return programs;
}

/**
 * podman keeps the namespaces that it makes first. crun wants a pure cgroup2 hierarchy there, which some
 * hosts do not have.
 */
async function startPodman(user: UnprivilegedUser): Promise<RunResult> {
  const script = 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"';
  const argv = ['--mount', '/bin/sh', '-c', script, 'sh', ...user.commandLine([peerPath('podman'), 'info'])];
  return await runProgram('/usr/bin/unshare', argv, { cwd: user.home });
}
