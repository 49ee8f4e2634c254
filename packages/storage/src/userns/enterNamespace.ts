import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { childProcess } from '../lazyModules.ts';
import type { NamespaceMaps } from './namespaceMaps.ts';
import { namespaceRefused } from './namespaceRefused.ts';
import { writeIdMaps } from './writeIdMaps.ts';

/** What a program's standard input, output and error are, as for `child_process.spawn`. */
export type StandardStreams = readonly [
  NonNullable<StreamOption>,
  NonNullable<StreamOption>,
  NonNullable<StreamOption>,
];
type StreamOption = Exclude<NonNullable<SpawnOptions['stdio']>, string>[number];

export interface NamespaceProgram {
  /** Program and arguments, looked up in PATH. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: StandardStreams;
}

/**
 * What `unshare` and `nsenter` say goes to the socket at descriptor 3, so that it can become an error;
 * descriptor 4 keeps the program's own standard error.
 */
const OUTSIDE = 'exec 4>&2 2>&3; exec "$@"';

const READY = 'ready\n';

/**
 * Runs inside. The program is only started when the namespace has its ids: by that execve(2) it becomes
 * root there. Namespaces change the working directory, so it is set again. When this process is killed,
 * the program is hung up on, if there is a setpriv(1) to ask for that.
 */
const INSIDE = `
  exec 2>&4 4>&-
  cd -- "$1" || exit
  shift
  echo ready >&3
  read -r _ <&3 || exit
  exec 3>&-
  setpriv --pdeathsig HUP true 2>/dev/null && set -- setpriv --pdeathsig HUP -- "$@"
  exec "$@"
`;

/**
 * Starts a program as root of a new user namespace with the given ids and of a new mount namespace, into
 * which mounts of the host go on to spread, but not the other way round.
 *
 * @throws {StorageError} `NEEDS_USERNS` with the reason why there can be no such namespace
 */
export async function startInNewNamespace(
  program: NamespaceProgram,
  maps: NamespaceMaps,
): Promise<ChildProcess> {
  const unshare = ['unshare', '--user', '--mount', '--propagation', 'slave'];
  return await start(unshare, program, async (pid) => await writeIdMaps(pid, maps));
}

/**
 * Starts a program in the user and mount namespace of another process of the same user, as root there.
 *
 * @throws {StorageError} `NEEDS_USERNS`
 */
export async function startInNamespaceOf(pid: number, program: NamespaceProgram): Promise<ChildProcess> {
  const nsenter = ['nsenter', '--user', '--mount', '--preserve-credentials', '--target', String(pid)];
  return await start(nsenter, program, async () => undefined);
}

async function start(
  enter: readonly string[],
  { argv, env, stdio }: NamespaceProgram,
  whenInside: (pid: number) => Promise<void>,
): Promise<ChildProcess> {
  const inside = ['/bin/sh', '-c', INSIDE, 'sh', process.cwd(), ...argv];
  const child = childProcess().spawn('/bin/sh', ['-c', OUTSIDE, 'sh', ...enter, ...inside], {
    env,
    stdio: [...stdio, 'pipe'],
  });
  const ended = once(child, 'exit').then(([status]) => status as number | null);
  await once(child, 'spawn');
  const control = child.stdio[3] as Duplex;
  try {
    const said = await untilReady(control);
    if (said !== READY) throw namespaceRefused({ program: enter[0] ?? '', said, status: await ended });
    await whenInside(child.pid ?? 0);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  control.end('go\n');
  return child;
}

/** {@link READY}, or what was said until the end. */
async function untilReady(control: Duplex): Promise<string> {
  let said = '';
  for await (const chunk of control.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.endsWith(READY)) return READY;
  }
  return said;
}
