import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { rootSkipReason } from './hostAbility.ts';
import { type RunOptions, type RunResult, runProgram, succeeded } from './runProgram.ts';
import { makeScratchDirectory, removeScratchDirectory } from './storeRoot.ts';

/** Why no user can be made here for a test, or no namespace by that user; undefined when both can. */
export const usersSkipReason: string | undefined = rootSkipReason ?? missingForUsers();

/** An account of this host that exists for one test. Disposing removes it, and all that is its own. */
export interface UnprivilegedUser extends AsyncDisposable {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** In memory, with the user's `$HOME` and run-time directory in it; the user may write there. */
  readonly path: string;
  readonly home: string;
  readonly runtimeDirectory: string;
  /** What a login would set. */
  readonly env: Readonly<Record<string, string>>;
  /** The words by which root runs a program as the user, with {@link env} alone. */
  commandLine(argv: string[], env?: NodeJS.ProcessEnv): string[];
  /** Runs a program as the user, with nothing but {@link env} and `options.env` in its environment. */
  run(argv: string[], options?: RunOptions): Promise<RunResult>;
  /** Like {@link run}; throws when the program fails. */
  mustRun(argv: string[], options?: RunOptions): Promise<RunResult>;
}

export interface UserOptions {
  /** With subordinate ids, as `useradd` gives them (default). */
  readonly subordinateIds?: boolean;
}

export function makeUnprivilegedUser({ subordinateIds = true }: UserOptions = {}): UnprivilegedUser {
  const path = makeScratchDirectory('user');
  const name = `sediment-${path
    .slice(-6)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x')}`;
  const home = join(path, 'home');
  const runtimeDirectory = join(path, 'run');
  chmodSync(path, 0o755);
  administer('useradd', ['--no-create-home', '--home-dir', home, '--shell', '/bin/sh', name]);
  if (!subordinateIds) dropSubordinateIds(name);
  const { uid, gid } = idsOf(name);
  for (const directory of [home, runtimeDirectory]) {
    mkdirSync(directory, { mode: 0o700 });
    chownSync(directory, uid, gid);
  }
  const env = { PATH: '/usr/bin:/bin', HOME: home, USER: name, XDG_RUNTIME_DIR: runtimeDirectory };
  const commandLine = (argv: string[], more: NodeJS.ProcessEnv = {}): string[] => [
    ...['/usr/bin/setpriv', '--reuid', name, '--regid', name, '--init-groups'],
    ...[
      '/usr/bin/env',
      '-i',
      ...Object.entries({ ...env, ...more }).map(([key, value]) => `${key}=${value}`),
    ],
    ...argv,
  ];
  const run = (argv: string[], options: RunOptions = {}): Promise<RunResult> => {
    const [program = '', ...args] = commandLine(argv, options.env);
    return runProgram(program, args, { cwd: home, ...options, env: {} });
  };
  return {
    ...{ name, uid, gid, path, home, runtimeDirectory, env, commandLine, run },
    mustRun: async (argv, options) => succeeded(await run(argv, options)),
    [Symbol.asyncDispose]: async () => {
      await endProcesses(uid);
      administer('userdel', [name]);
      removeScratchDirectory(path);
    },
  };
}

/** podman leaves a process that holds its namespaces, and may still be cleaning up after a container. */
async function endProcesses(uid: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const pids = processesOf(uid);
    if (pids.length === 0) return;
    for (const pid of pids) tryKill(pid);
    await setTimeout(50);
  }
  throw new Error(`processes of uid ${uid} do not end: ${processesOf(uid).join(' ')}`);
}

function processesOf(uid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid === uid)
    .map(Number);
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function dropSubordinateIds(name: string): void {
  for (const [option, file] of [
    ['--del-subuids', '/etc/subuid'],
    ['--del-subgids', '/etc/subgid'],
  ] as const) {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((each) => each.startsWith(`${name}:`));
    if (line === undefined) continue;
    const [, first, count] = line.split(':').map(Number) as [number, number, number];
    administer('usermod', [option, `${first}-${first + count - 1}`, name]);
  }
}

function idsOf(name: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':').map(Number) ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`useradd made no user ${name}`);
  return { uid, gid };
}

function administer(program: string, args: string[]): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8', env: administratorEnv() });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? stderr}`);
}

function administratorEnv(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
}

function missingForUsers(): string | undefined {
  for (const program of ['useradd', 'userdel', 'usermod', 'setpriv', 'unshare', 'newuidmap', 'newgidmap']) {
    const { status } = spawnSync('/bin/sh', ['-c', `command -v ${program}`], { env: administratorEnv() });
    if (status !== 0) return `there is no ${program}`;
  }
  const nobody = ['--reuid', '65534', '--clear-groups', 'unshare', '--user', 'true'];
  const { status, stderr } = spawnSync('setpriv', nobody, { encoding: 'utf8' });
  return status === 0 ? undefined : `users cannot make namespaces: ${stderr.trim()}`;
}
