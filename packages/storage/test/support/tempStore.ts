import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Warning } from '@sediment/core';
import { MNT_DETACH, readMountInfo, umount2 } from '@sediment/posix';
import { type OpenStoreOptions, openStore, type Store } from '../../src/index.ts';

/** Why suites that make stores are skipped, or undefined where they can run. */
export const noStore: string | undefined =
  process.platform !== 'linux' ? 'needs Linux' : process.geteuid?.() !== 0 ? 'needs root' : undefined;

/** Roots of their own on tmpfs, with everything mounted below taken away at the end. */
export class TempRoots {
  readonly directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sediment-store-'));
  readonly graphRoot = join(this.directory, 'graph');
  readonly runRoot = join(this.directory, 'run');
  readonly warnings: Warning[] = [];
  readonly #stores: Store[] = [];

  /** Opens the store at these roots, with no configuration but the one given. */
  async open(options: OpenStoreOptions = {}): Promise<Store> {
    const empty = join(this.directory, 'empty.conf');
    writeFileSync(empty, '');
    const store = await openStore({
      graphRoot: this.graphRoot,
      runRoot: this.runRoot,
      driver: 'overlay',
      env: { HOME: this.directory, CONTAINERS_STORAGE_CONF: empty },
      onWarning: (warning) => this.warnings.push(warning),
      ...options,
    });
    this.#stores.push(store);
    return store;
  }

  mounts(): string[] {
    const points = readMountInfo().map(({ mountPoint }) => mountPoint);
    return points.filter((point) => point.startsWith(`${this.directory}/`));
  }

  async cleanup(): Promise<void> {
    for (const store of this.#stores) await store.close();
    for (const point of this.mounts().reverse()) umount2(point, MNT_DETACH);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The tar of a directory as GNU tar makes it, written beside it. */
export function tarOf(directory: string, ...extra: string[]): string {
  const file = `${directory}.tar`;
  execFileSync('tar', ['--format=pax', '--numeric-owner', '-C', directory, '-cf', file, ...extra, '.']);
  return file;
}
