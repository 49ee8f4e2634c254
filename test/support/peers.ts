import { spawnSync } from 'node:child_process';
import { PEER_PROGRAMS, type PeerName, peerDefect, peersMissing } from '../../scripts/lib/peerPrograms.js';
import { type RunOptions, type RunResult, runProgram, succeeded } from './runProgram.ts';
import type { StoreRoot } from './storeRoot.ts';

/**
 * Why the peer suites cannot run here; undefined when they can. Where the peers are required
 * (`npm run test:peers`) nothing may be a reason to skip.
 */
export const peersSkipReason: string | undefined = process.env.SEDIMENT_REQUIRE_PEERS
  ? undefined
  : peersMissing();

/** The title of a peer suite: it says why, when the suite is skipped. */
export function peerTitle(title: string): string {
  return peersSkipReason ? `${title} (skipped: ${peersSkipReason})` : title;
}

export interface PeerOptions extends RunOptions {
  /** The result is handed back whatever the exit status. Otherwise a failure throws. */
  mayFail?: boolean;
}

/** podman, in the mount namespace of the tests: what it mounts stays visible. */
export function podman(store: StoreRoot, args: string[], options: PeerOptions = {}): Promise<RunResult> {
  return callPeer('podman', [...podmanRoots(store), ...args], withStore(store, options));
}

/**
 * The options that keep podman away from every store and state but this one. With roots given it takes no driver
 * options from storage.conf or the environment.
 */
export function podmanRoots(store: StoreRoot): string[] {
  const { graphRoot, runRoot, driver, libpodTmp, driverOptions = [] } = store;
  return [
    ...['--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver, '--tmpdir', libpodTmp],
    ...driverOptions.flatMap((option) => ['--storage-opt', option]),
  ];
}

/** skopeo; stores are named by {@link storeReference}, `store` only sets the defaults. */
export function skopeo(store: StoreRoot, args: string[], options: PeerOptions = {}): Promise<RunResult> {
  return callIsolated('skopeo', args, withStore(store, options));
}

/** `name` in a store, as skopeo and buildah name it. */
export function storeReference(store: StoreRoot, name: string): string {
  const { driver, graphRoot, runRoot, driverOptions = [] } = store;
  const options = driverOptions.length === 0 ? '' : `:${driverOptions.join(',')}`;
  return `containers-storage:[${driver}@${graphRoot}+${runRoot}${options}]${name}`;
}

export function buildah(store: StoreRoot, args: string[], options: PeerOptions = {}): Promise<RunResult> {
  const { graphRoot, runRoot, driver } = store;
  const roots = ['--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver];
  return callIsolated('buildah', [...roots, ...args], withStore(store, options));
}

/** The Go `containers-storage` command: its options come after the name of the subcommand. */
export function containersStorage(
  store: StoreRoot,
  args: string[],
  options: PeerOptions = {},
): Promise<RunResult> {
  return containersStorageAsIs(store, withRoots(store, args), options);
}

/** The Go `containers-storage` command with these arguments and no others: `storage.conf` says which store. */
export function containersStorageAsIs(
  store: StoreRoot,
  args: readonly string[],
  options: PeerOptions = {},
): Promise<RunResult> {
  return callPeer('containers-storage', [...args], withStore(store, options));
}

/** A command line of `containers-storage` with the store's roots and driver after the name of the command. */
export function withRoots({ graphRoot, runRoot, driver }: StoreRoot, args: readonly string[]): string[] {
  const [command = '', ...rest] = args;
  return [command, '--graph', graphRoot, '--run', runRoot, '--storage-driver', driver, ...rest];
}

/** umoci, which works on OCI layouts alone. */
export function umoci(args: string[], options: PeerOptions = {}): Promise<RunResult> {
  return callPeer('umoci', args, options);
}

/** tar-split, which works on streams and single files alone. */
export function tarSplit(args: string[], options: PeerOptions = {}): Promise<RunResult> {
  return callPeer('tar-split', args, options);
}

/** The absolute path of a peer, after making sure that it is an ELF program outside of this checkout. */
export function peerPath(name: PeerName): string {
  const path = PEER_PROGRAMS[name];
  const defect = peerDefect(path);
  if (defect) throw new Error(`peer ${name}: ${defect}`);
  return path;
}

/** The first line that a peer says of its version; `containers-storage` says nothing, so its package does. */
export function peerVersion(name: PeerName): string {
  const { program, args } =
    name === 'containers-storage'
      ? { program: 'dpkg-query', args: ['--show', name] }
      : isolate(peerPath(name), ['--version']);
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return stdout?.split('\n')[0]?.replace('\t', ' ') || 'unknown version';
}

async function callPeer(name: PeerName, args: string[], options: PeerOptions): Promise<RunResult> {
  const result = await runProgram(peerPath(name), args, options);
  return options.mayFail ? result : succeeded(result);
}

async function callIsolated(name: PeerName, args: string[], options: PeerOptions): Promise<RunResult> {
  const isolated = isolate(peerPath(name), args);
  const result = await runProgram(isolated.program, isolated.args, options);
  return options.mayFail ? result : succeeded(result);
}

/** Under an empty /var/lib/containers, in a mount namespace of its own, a program finds no store or cache of the host. */
export function isolate(path: string, args: string[]): { program: string; args: string[] } {
  const hide = 'mkdir -p /var/lib/containers && mount -t tmpfs tmpfs /var/lib/containers && exec "$@"';
  return { program: '/usr/bin/unshare', args: ['--mount', '/bin/sh', '-c', hide, 'sh', path, ...args] };
}

function withStore(store: StoreRoot, options: PeerOptions): PeerOptions {
  return { ...options, env: { ...store.env, ...options.env } };
}
