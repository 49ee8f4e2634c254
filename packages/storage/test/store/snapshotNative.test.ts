import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundledProgram, bundleProgram } from '../../../../test/support/bundleProgram.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { openStore } from '../../src/index.ts';
import { addImage } from '../support/imageOf.ts';
import type { SnapshotFacts } from '../support/snapshotChild.ts';
import { noStore } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined)(
  `reading a snapshot in a process of its own (${noStore ?? 'root'})`,
  () => {
    let root: StoreRoot;
    let child: BundledProgram;

    beforeAll(async () => {
      root = makeStoreRoot();
      const { graphRoot, runRoot, path } = root;
      const store = await openStore({ graphRoot, runRoot, driver: 'overlay', env: { HOME: path } });
      await addImage(store, path, 'read');
      await store.close();
      child = await bundleProgram(fileURLToPath(new URL('../support/snapshotChild.ts', import.meta.url)));
    });
    afterAll(() => {
      child.remove();
      root.dispose();
    });

    const read = (program: string): SnapshotFacts => {
      const { graphRoot, runRoot, path } = root;
      const args = [program, JSON.stringify({ graphRoot, runRoot, home: path })];
      const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect(stderr).toBe('');
      return JSON.parse(stdout) as SnapshotFacts;
    };

    const found = {
      layers: 2,
      names: ['localhost/read:1'],
      config: '{"name":"read"}',
      manifest: '{"manifest":"read"}',
      sizeIsKnown: true,
      blobs: 0,
    };

    it('lists, looks up, reads documents and sizes, and loads no native code', () => {
      expect(read(child.path)).toEqual({ ...found, native: [] });
    });

    it('does so where no native package is installed at all', () => {
      const alone = join(root.path, 'alone');
      mkdirSync(alone);
      writeFileSync(join(alone, 'package.json'), '{"type":"module"}');
      const program = join(alone, 'program.js');
      copyFileSync(child.path, program);
      expect(readFileSync(program, 'utf8')).toContain('koffi');
      expect(read(program)).toEqual({ ...found, native: [] });
    });
  },
);
