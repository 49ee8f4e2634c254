import { randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fillSpace, mountSmall } from '../../../../test/support/smallFileSystems.ts';
import type { Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const IDS = [{ containerId: 0, hostId: 1000, size: 1000 }];

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `a %s store on a full disk (${noStore ?? 'root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;
    let archive: string;

    beforeEach(async () => {
      roots = new TempRoots();
      mkdirSync(roots.graphRoot);
      mountSmall(roots.graphRoot, 'size=4m');
      store = await roots.open({ driver });
      const big = randomBytes(600_000).toString('hex');
      archive = layerOf(roots.directory, 'tree', { file: big }).blob.path;
      await store.layers.create({ id: 'empty' });
      fillSpace(join(roots.graphRoot, 'filler'), 100);
    });
    afterEach(() => roots.cleanup());

    it.each([
      ['put', () => store.layers.put({ diff: createReadStream(archive) })],
      ['put with ids', () => store.layers.put({ diff: createReadStream(archive), uidMap: IDS, gidMap: IDS })],
      ['fill', () => store.layers.applyDiff('empty', createReadStream(archive))],
    ] as const)('%s fails, leaves nothing, and succeeds when there is room', async (_, run) => {
      await expect(run()).rejects.toMatchObject({ code: 'NO_SPACE' });
      expect((await store.layers.list()).map(({ id }) => id)).toEqual(['empty']);
      expect(roots.warnings).toEqual([]);
      rmSync(join(roots.graphRoot, 'filler'));
      await run();
      const { layers } = await store.check({ quick: true });
      expect(layers).toEqual([]);
    });
  },
);
