import { peerPath } from '../../../../../test/support/peers.ts';
import type { StoreRoot } from '../../../../../test/support/storeRoot.ts';
import { Child } from './processes.ts';

/** Starts the Go `containers-storage` command on a store, without waiting for its end. */
export function startContainersStorage(store: StoreRoot, subcommand: string, ...args: string[]): Child {
  const { graphRoot, runRoot, driver } = store;
  const roots = ['--graph', graphRoot, '--run', runRoot, '--storage-driver', driver];
  return new Child(peerPath('containers-storage'), [subcommand, ...roots, ...args], store.env);
}
