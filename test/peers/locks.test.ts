import { describe, expect, it, onTestFinished } from 'vitest';
import { hammerLayers } from '../../packages/storage/test/locks/support/hammerLayers.ts';
import { peersSkipReason, peerTitle } from '../support/peers.ts';
import { makeStoreRoot } from '../support/storeRoot.ts';

describe.skipIf(peersSkipReason !== undefined)(peerTitle('lock files shared with containers-storage'), () => {
  it.each(['vfs', 'overlay'] as const)('loses no %s layer when both write for 30 s', async (driver) => {
    const store = makeStoreRoot({ driver });
    onTestFinished(() => store.dispose());
    const { ours, theirs, lost, doubled } = await hammerLayers(store, 30_000);
    expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
    expect(ours).toBeGreaterThan(100);
    expect(theirs).toBeGreaterThan(30);
  });
});
