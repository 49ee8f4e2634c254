import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareStores } from '../support/compareStores.ts';
import { debootstrapImage, type ImageFiles } from '../support/debootstrapImage.ts';
import { findDebris, findLeftovers } from '../support/leftovers.ts';
import { unmountBelow } from '../support/mounts.ts';
import { peersSkipReason, peerTitle, podman, skopeo, storeReference } from '../support/peers.ts';
import { readRecords } from '../support/records.ts';
import { mustRun } from '../support/runProgram.ts';
import { SEDIMENT, sediment, startSediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { type StoreSnapshot, snapshotStore } from '../support/storeSnapshot.ts';
import { podmanImages, sedimentImages } from '../support/views.ts';

const KILLS = 20;

/** Starts an import and kills it after a while, unless it ends before. */
async function killAfter(store: StoreRoot, file: string, milliseconds: number): Promise<boolean> {
  const { graphRoot, runRoot, driver } = store;
  const roots = ['--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver];
  const env = { ...process.env, ...store.env };
  const child = spawn(process.execPath, [SEDIMENT, ...roots, 'import', file], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
  const [, signal] = await ended;
  clearTimeout(timer);
  return signal === 'SIGKILL';
}

describe.skipIf(peersSkipReason)(peerTitle('an import that is disturbed'), () => {
  let image: ImageFiles;
  let reference: StoreSnapshot;
  /** How long an undisturbed import takes here. */
  let duration: number;
  beforeAll(async () => {
    image = await debootstrapImage();
    await using ofSkopeo = makeStoreRoot();
    const source = `oci-archive:${image.ociArchive}:${image.name}`;
    await skopeo(ofSkopeo, ['copy', '--quiet', source, storeReference(ofSkopeo, image.name)]);
    reference = snapshotStore(ofSkopeo);
    await using first = makeStoreRoot();
    const start = performance.now();
    await sediment(first, ['import', image.ociArchive]);
    duration = performance.now() - start;
  });

  describe(`killed at ${KILLS} random moments`, () => {
    let store: StoreRoot;
    let killed = 0;
    let debrisFound = 0;
    beforeAll(() => {
      store = makeStoreRoot();
    });
    afterAll(() => store.dispose());

    it.each(Array.from({ length: KILLS }, (_, index) => index + 1))(
      'kill %i is neither seen nor felt',
      async () => {
        const moment = Math.random() * duration;
        if (!(await killAfter(store, image.ociArchive, moment))) {
          // it was through already: the next one has something to do again
          await sediment(store, ['rmi', image.name]);
          return;
        }
        killed++;
        const debris = findDebris(store);
        debrisFound += debris.length;
        const context = `killed after ${moment.toFixed(0)} of ${duration.toFixed(0)} ms, left ${debris.join(' ')}`;
        const isWhole = readRecords(store).images.length === 1;
        // podman, as the next reader, sees no image, or the whole of it when the kill came after the commit
        expect((await podmanImages(store)).length, context).toBe(isWhole ? 1 : 0);
        // and our next command, which checks for leftovers itself, has cleaned up
        expect((await sedimentImages(store)).length, context).toBe(isWhole ? 1 : 0);
        expect(findDebris(store), context).toEqual([]);
        if (isWhole) await sediment(store, ['rmi', image.name]);
      },
    );

    it('some kills came in the middle of the work', () => {
      expect(killed).toBeGreaterThan(KILLS / 4);
      expect(debrisFound).toBeGreaterThan(0);
    });

    it('the next import succeeds and makes the store of skopeo', async () => {
      await sediment(store, ['import', image.ociArchive]);
      const differences = compareStores(snapshotStore(store), reference);
      expect(differences).toEqual([]);
      expect(await podmanImages(store)).toEqual(await sedimentImages(store));
    });
  });

  it('podman unmounting and binding the home in the middle of it does no harm', async () => {
    await using store = makeStoreRoot();
    await podman(store, ['images']);
    const home = `${store.graphRoot}/overlay`;
    let rounds = 0;
    let isRunning = true;
    const importing = startSediment(store, ['import', image.ociArchive]).finally(() => {
      isRunning = false;
    });
    while (isRunning) {
      // binds the home on itself, makes it private, and unmounts it
      await podman(store, ['images']);
      // other commands leave it bound
      await mustRun('mount', ['--bind', home, home]);
      await sleep(20 * Math.random());
      unmountBelow(home);
      rounds++;
    }
    const { exitCode, stderr } = await importing;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(rounds).toBeGreaterThan(3);
    expect(findLeftovers(store)).toEqual([]);
    expect(compareStores(snapshotStore(store), reference)).toEqual([]);
  });
});
