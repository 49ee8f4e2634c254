import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundledProgram } from '../../../../test/support/bundleProgram.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { openStore } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import type { CrashJob } from '../support/crashChild.ts';
import { bundleCrashChild, noStrace } from '../support/killPoints.ts';
import { noStore } from '../support/tempStore.ts';

const skipped = noStore ?? noStrace;
const RECORDS = ['layers.json', 'volatile-layers.json', 'images.json', 'containers.json'];
const OPEN_TO_READ = /openat\([^"]*"([^"]+)", O_RDONLY/;
const RENAME = /rename(?:at2?)?\([^"]*"[^"]+",[^"]*"([^"]+)"/;

/** In a large store the records are most of what a small change costs. */
describe.skipIf(skipped !== undefined)(
  `an image of several layers in a store that has some (${skipped ?? 'root, strace'})`,
  () => {
    let root: StoreRoot;
    let child: BundledProgram;
    let trace: string[];

    beforeAll(async () => {
      root = makeStoreRoot();
      child = await bundleCrashChild();
      const { graphRoot, runRoot, path } = root;
      const names = ['one', 'two', 'three'];
      const chain = names.map((name) => layerOf(path, name, { [`etc/${name}`]: name }));
      const other = layerOf(path, 'other', { other: 'other' });
      const store = await openStore({ graphRoot, runRoot, driver: 'overlay', env: { HOME: path } });
      await store.layers.addChain([other]);
      const [layer] = (await store.layers.addChain(chain)).toReversed();
      for (const { id } of (await store.layers.list()).slice(1).toReversed()) await store.layers.delete(id);
      await store.close();
      const id = digestOf(Buffer.from('image')).slice(7);
      const image = { id, layer: layer?.id ?? '', names: ['localhost/three:1'], bigData: [] };
      const job: CrashJob = { graphRoot, runRoot, operation: 'import', chain, image };
      const log = join(path, 'trace');
      const options = ['-f', '-qq', '-e', 'trace=openat,rename,renameat,renameat2', '-o', log];
      const args = [...options, process.execPath, child.path, JSON.stringify(job)];
      const { status, stderr } = spawnSync('strace', args, { encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
      trace = readFileSync(log, 'utf8').split('\n');
    });
    afterAll(() => {
      child.remove();
      root.dispose();
    });

    const count = (call: RegExp, file: string) =>
      trace.filter((line) => basename(call.exec(line)?.[1] ?? '') === file).length;

    it.each(RECORDS)('reads %s once at most', (file) => {
      expect(count(OPEN_TO_READ, file)).toBeLessThanOrEqual(1);
    });

    it('writes the records of layers and images once, and no others', () => {
      expect(RECORDS.map((file) => count(RENAME, file))).toEqual([1, 0, 1, 0]);
    });
  },
);
