import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { type HeldLock, holdLock } from '../support/holdLock.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

/** Long before this an aborted call has to be back; it is generous for a busy machine. */
/** Far less than waiting to the end would take, and enough for a busy host. */
const AT_ONCE_MS = 5000;
const IDS = [{ containerId: 0, hostId: 1000, size: 1000 }];

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `waiting for locks of layers of %s, aborted (${noStore ?? 'as root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;
    let lock: HeldLock;

    beforeEach(async () => {
      roots = new TempRoots();
      store = await roots.open({ driver });
      await store.layers.create({ id: 'empty' });
    });
    afterEach(async () => {
      lock.release();
      await lock.held;
      await roots.cleanup();
    });

    const hold = async (kind: 'layers' | 'containers') => {
      lock = await holdLock(join(roots.graphRoot, `${driver}-${kind}/${kind}.lock`), kind);
    };
    const expectAbort = async (run: (signal: AbortSignal) => Promise<unknown>) => {
      const stop = new AbortController();
      let aborted = 0;
      setTimeout(() => {
        aborted = performance.now();
        stop.abort();
      }, 50);
      await expect(run(stop.signal)).rejects.toMatchObject({ code: 'ABORTED' });
      expect(performance.now() - aborted).toBeLessThan(AT_ONCE_MS);
    };
    const empty = () => Readable.from([Buffer.alloc(1024)]);

    it('put', async () => {
      await hold('layers');
      await expectAbort((signal) => store.layers.put({ diff: empty(), signal }));
    });

    it('put, with a parent, while containers are locked', async () => {
      await hold('containers');
      await expectAbort((signal) => store.layers.put({ parent: 'empty', diff: empty(), signal }));
    });

    it('put with other owners', async () => {
      await hold('layers');
      await expectAbort((signal) => store.layers.put({ uidMap: IDS, gidMap: IDS, diff: empty(), signal }));
    });

    it('applyDiff', async () => {
      await hold('layers');
      await expectAbort((signal) => store.layers.applyDiff('empty', empty(), { signal }));
    });

    // The first call loads the code, which takes longer.
    it('check', async () => {
      await store.check({ quick: true });
      await hold('layers');
      await expectAbort((signal) => store.check({ signal }));
    });

    it('dedup', async () => {
      await store.dedup();
      await hold('layers');
      await expectAbort((signal) => store.dedup({ signal }));
    });
  },
);
