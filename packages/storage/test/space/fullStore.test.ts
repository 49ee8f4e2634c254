import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { StorageError } from '@sediment/core';
import { digestOf } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fillSpace, mountSmall } from '../../../../test/support/smallFileSystems.ts';
import type { ChainLayer, Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const MIB = 1024 * 1024;

/** Chains that do not fit into a store of 8 MiB. */
describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `layers that do not fit into a %s store (${noStore ?? 'as root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;

    beforeEach(async () => {
      roots = new TempRoots();
      mkdirSync(roots.graphRoot);
      mountSmall(roots.graphRoot, 'size=8m');
      store = await roots.open({ driver });
    });
    afterEach(() => roots.cleanup());

    const big = (gzip = false) => layerOf(roots.directory, 'big', { file: 'x'.repeat(20 * MIB) }, { gzip });

    async function refusal(
      chain: ChainLayer[],
      keepBlobs = false,
    ): Promise<{ error: StorageError; started: boolean }> {
      let started = false;
      const onProgress = ({ type }: { type: string }) => {
        started ||= type === 'layer-start';
      };
      const error = await store.layers.addChain(chain, { keepBlobs, onProgress }).then(
        () => Promise.reject(new Error('it fits')),
        (error: StorageError) => error,
      );
      expect(await store.layers.list()).toEqual([]);
      expect(existsSync(join(roots.graphRoot, driver, 'tempdirs'))).toBe(false);
      expect(existsSync(join(roots.graphRoot, `${driver}-layers/tmp`))).toBe(false);
      expect(roots.warnings).toEqual([]);
      return { error, started };
    }

    it.each(['plain', 'gzip'])('are refused before anything is unpacked (%s)', async (compression) => {
      const small = layerOf(roots.directory, 'small', { file: 'x' });
      const { error, started } = await refusal([small, big(compression === 'gzip')]);
      expect(started).toBe(false);
      expect(error).toMatchObject({ code: 'NO_SPACE', name: 'StorageError' });
      const { expected, actual, path } = error.facts as { expected: number; actual: number; path: string };
      expect(expected).toBeGreaterThan(16 * MIB);
      expect(expected).toBeLessThan(21 * MIB);
      expect(actual).toBeGreaterThan(6 * MIB);
      expect(actual).toBeLessThanOrEqual(8 * MIB);
      expect(path.startsWith(roots.graphRoot)).toBe(true);
      for (const number of [expected, actual]) expect(error.message).toContain(String(number));
      expect(error.hint).toMatch(/\d MB/);
    });

    it('are refused when they come as streams whose length is known', async () => {
      const layer = big();
      const open = () => {
        throw new Error('opened');
      };
      const { error } = await refusal([{ ...layer, blob: open }]);
      expect(error.code).toBe('NO_SPACE');
    });

    it('are found out later where nothing tells their length', async () => {
      const layer = big();
      const path = join(roots.directory, 'big.xz');
      const { blob } = layer as { blob: { path: string } };
      const bytes = execFileSync('xz', ['-0c', blob.path], { maxBuffer: MIB });
      writeFileSync(path, bytes);
      const { error, started } = await refusal([
        {
          ...layer,
          blob: { path, offset: 0, length: bytes.length },
          digest: digestOf(bytes),
          size: bytes.length,
        },
      ]);
      expect(started).toBe(true);
      expect(error).toMatchObject({ code: 'NO_SPACE', facts: { errnoCode: 'ENOSPC' } });
    });

    it('are found out later where the tar-split does not fit', async () => {
      const files = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`${digestOf(`${i}`)}`, '']));
      const layer = layerOf(roots.directory, 'many', files);
      mountSmall(join(roots.graphRoot, `${driver}-layers`), 'size=256k');
      store = await roots.open({ driver });
      fillSpace(join(roots.graphRoot, `${driver}-layers`, 'filler'), 30);
      const { error } = await refusal([layer]);
      expect(error).toMatchObject({ code: 'NO_SPACE', facts: { errnoCode: 'ENOSPC' } });
    });

    it('are refused when their blobs are to be kept, too', async () => {
      const layer = layerOf(roots.directory, 'noise', { file: randomBytes(5 * MIB).toString('latin1') });
      const { error, started } = await refusal([layer], true);
      expect(started).toBe(false);
      expect(error.message).toContain('1 layer and its blob');
      expect(await store.layers.addChain([layer])).toHaveLength(1);
    });

    it('are found out later where only their blobs do not fit', async () => {
      const layer = layerOf(roots.directory, 'noise', { file: randomBytes(2.46 * MIB).toString('latin1') });
      fillSpace(join(roots.graphRoot, 'filler'), (7 * MIB) / 4096);
      const { error, started } = await refusal([layer], true);
      expect(started).toBe(true);
      expect(error).toMatchObject({ code: 'NO_SPACE', facts: { errnoCode: 'ENOSPC' } });
      expect(await store.blobs.list()).toEqual([]);
      rmSync(join(roots.graphRoot, 'filler'));
      const put = store.blobs.put(Readable.from([randomBytes(12 * MIB)]));
      await expect(put).rejects.toMatchObject({ code: 'NO_SPACE' });
      expect(await store.blobs.list()).toEqual([]);
    });

    it('may be there already', async () => {
      const layer = layerOf(roots.directory, 'half', { file: 'x'.repeat(5 * MIB) });
      await store.layers.addChain([layer]);
      expect(await store.layers.addChain([layer])).toHaveLength(1);
    });
  },
);
