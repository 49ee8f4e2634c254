import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fillSpace, mountSmall } from '../../../../test/support/smallFileSystems.ts';
import { openStore, type Store } from '../../src/index.ts';
import { expectValidLayout } from '../support/checkLayout.ts';
import type { KeptBlobsJob } from '../support/keptBlobsChild.ts';
import { addToStore, chunks, digestsOf, keep, keepableImage, putLayers } from '../support/keptImages.ts';
import { bundleCrashChild } from '../support/killPoints.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore)('kept blobs on hosts with trouble', () => {
  let roots: TempRoots;
  let store: Store;
  const place = (...parts: string[]) => join(roots.graphRoot, 'sediment', ...parts);

  beforeEach(() => {
    roots = new TempRoots();
  });
  afterEach(async () => await roots.cleanup());

  describe('on a full disk', () => {
    beforeEach(async () => {
      mkdirSync(roots.graphRoot);
      mountSmall(roots.graphRoot, 'size=6m');
      store = await roots.open();
    });

    it('a blob that does not fit leaves nothing', async () => {
      const parts = Array.from({ length: 8 }, () => Buffer.alloc(1 << 20, 'x'));
      await expect(store.blobs.put(chunks(...parts))).rejects.toMatchObject({ code: 'NO_SPACE' });
      expect(readdirSync(place('tmp'))).toEqual([]);
      expect(await store.blobs.list()).toEqual([]);
      expectValidLayout(roots.graphRoot);
      await store.blobs.put(chunks('small'));
    });

    it('an image that cannot be listed is not kept, and can be later', async () => {
      const app = keepableImage(roots.directory, 'app');
      await addToStore(store, app);
      await putLayers(store, app);
      const filler = join(roots.graphRoot, 'filler');
      for (const pages of [0, 1, 2, 3, 4, 6]) {
        fillSpace(filler, pages);
        await store.blobs.keepImage(app.request).catch((error) => expect(error.code).toBe('NO_SPACE'));
        expectValidLayout(roots.graphRoot);
        await store.blobs.dropImage(app.id).catch((error) => expect(error.code).toBe('NO_SPACE'));
        expectValidLayout(roots.graphRoot);
        rmSync(filler);
        await putLayers(store, app);
      }
      await store.blobs.keepImage(app.request);
      expect((await store.blobs.list()).map(({ digest }) => digest)).toEqual(digestsOf(app));
      expect(roots.warnings).toEqual([]);
      expect(readdirSync(place('tmp'))).toEqual([]);
    });
  });

  describe('without better-sqlite3', () => {
    /** A program that finds all packages but this one. */
    async function run(job: Omit<KeptBlobsJob, 'graphRoot' | 'runRoot'>): Promise<string> {
      const child = await bundleCrashChild('keptBlobsChild');
      try {
        const program = join(roots.directory, 'program.mjs');
        copyFileSync(child.path, program);
        const koffi = dirname(createRequire(import.meta.url).resolve('koffi'));
        mkdirSync(join(roots.directory, 'node_modules'), { recursive: true });
        for (const name of ['koffi', '@koromix']) {
          const link = join(roots.directory, 'node_modules', name);
          if (!existsSync(link)) symlinkSync(join(koffi, '..', name), link);
        }
        const { does, ...rest } = job;
        const { graphRoot, runRoot } = roots;
        const text = JSON.stringify({ does, graphRoot, runRoot, ...rest });
        const { stdout, stderr } = spawnSync(process.execPath, [program, text], { encoding: 'utf8' });
        return stdout + stderr;
      } finally {
        child.remove();
      }
    }

    it('nothing is begun that could not be kept', async () => {
      const app = keepableImage(roots.directory, 'app');
      const said = await run({ does: 'import', images: [app] });
      expect(said).toContain('NATIVE_UNAVAILABLE');
      expect(said).toContain('better-sqlite3 cannot be loaded');
      store = await roots.open();
      expect(await store.layers.list()).toEqual([]);
      expect(existsSync(place('oci'))).toBe(false);
    });

    it('an image is deleted all the same, and what was kept goes later', async () => {
      store = await roots.open();
      const app = keepableImage(roots.directory, 'app');
      await keep(store, app);
      const said = await run({ does: 'delete image', images: [app] });
      expect(JSON.parse(said)).toEqual([expect.stringMatching(/^KEPT_BLOBS_STALE .*better-sqlite3/)]);
      expect(await store.images.list()).toEqual([]);
      expect((await store.collectGarbage()).blobs.toSorted()).toEqual(digestsOf(app));
    });
  });

  it('read-only media are read', async () => {
    store = await roots.open();
    const app = keepableImage(roots.directory, 'app');
    await keep(store, app);
    const listed = await store.blobs.images();
    await store.close();
    const { mountReadOnly } = await import('../../../../test/support/smallFileSystems.ts');
    mountReadOnly(roots.graphRoot);
    const warnings: string[] = [];
    await using frozen = await openStore({
      graphRoot: roots.graphRoot,
      runRoot: roots.runRoot,
      driver: 'overlay',
      env: { HOME: roots.directory },
      onWarning: ({ code }) => warnings.push(code),
    });
    expect(await frozen.blobs.images()).toEqual(listed);
    expect((await frozen.blobs.list()).map(({ digest }) => digest)).toEqual(digestsOf(app));
    await frozen.blobs.exported(app.id);
    await expect(frozen.blobs.dropImage(app.id)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    expect(warnings).toEqual(['SNAPSHOT_MODE']);
  });
});
