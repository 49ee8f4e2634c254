import { describe, expect, it, onTestFinished } from 'vitest';
import { containersStorage, peersSkipReason, peerTitle } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { LockManager } from '../../src/locks/index.ts';
import { startContainersStorage } from './support/goStorage.ts';
import { hammerLayers } from './support/hammerLayers.ts';
import { gate, isPendingAfter } from './support/timing.ts';

const manager = new LockManager({ backend: 'fcntl', onWarning: () => undefined });

function newStore(): StoreRoot {
  const store = makeStoreRoot({ driver: 'vfs' });
  onTestFinished(() => store.dispose());
  return store;
}

describe.skipIf(peersSkipReason !== undefined)(peerTitle('locks and the Go containers-storage'), () => {
  it('makes it wait while a layers lock is held here', async () => {
    const store = newStore();
    const created = await containersStorage(store, ['create-layer']);
    const lock = manager.lock(`${store.graphRoot}/vfs-layers/layers.lock`, { rank: 'layers' });
    const held = gate();
    const end = gate();
    const ours = lock.withWrite(async () => {
      held.open();
      await end.opened;
    });
    await held.opened;
    const child = startContainersStorage(store, 'layers');
    expect(await isPendingAfter(child.exited, 1000)).toBe(true);
    expect(child.output).toBe('');
    end.open();
    await ours;
    expect(await child.exited).toBe(0);
    expect(child.output).toContain(created.stdout.trim());
  });

  it('waits while it applies a diff under the layers lock', async () => {
    const store = newStore();
    const created = await containersStorage(store, ['create-layer']);
    const child = startContainersStorage(store, 'applydiff', created.stdout.trim());
    const lock = manager.lock(`${store.graphRoot}/vfs-layers/layers.lock`, { rank: 'layers' });
    while ((await lock.tryWrite(() => undefined)).acquired) await isPendingAfter(child.exited, 10);
    const ours = lock.withWrite(() => 'ours');
    const read = lock.withRead(() => 'read');
    expect(await isPendingAfter(Promise.race([ours, read]), 1000)).toBe(true);
    child.process.stdin.end(Buffer.alloc(1024));
    expect(await ours).toBe('ours');
    expect(await read).toBe('read');
    expect(await child.exited).toBe(0);
  });

  it('sees its tokens, and it sees ours', async () => {
    const store = newStore();
    await containersStorage(store, ['create-layer']);
    const lock = manager.lock(`${store.graphRoot}/vfs-layers/layers.lock`, { rank: 'layers' });
    const first = await lock.withRead((guard) => guard.readToken());
    expect(first).toHaveLength(64);
    await containersStorage(store, ['layers']);
    expect(await lock.withRead((guard) => guard.readToken())).toEqual(first);
    await containersStorage(store, ['create-layer']);
    expect(await lock.withRead((guard) => guard.readToken().equals(first))).toBe(false);
  });

  it('loses no record when both write for some seconds', async () => {
    const { ours, theirs, lost, doubled } = await hammerLayers(newStore(), 3000);
    expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
    expect(Math.min(ours, theirs)).toBeGreaterThan(2);
  });
});
