/** Layers that are odd but legal, as two programs unpack them, are no damage. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TarReader } from '@sediment/codec';
import { digestOf } from '@sediment/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containersStorage, peersSkipReason, peerTitle } from '../../../../test/support/peers.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { ExpectedTree } from '../../src/check/contents/expectedTree.ts';
import { LayerReplay } from '../../src/check/contents/layerReplay.ts';
import { type ChainLayer, openStore } from '../../src/index.ts';
import { EXTRACTOR_CASES } from '../unpack/extractorCases.ts';
import { BASE, UPPER } from '../unpack/richLayers.ts';
import { buildTar, type EntrySpec } from '../unpack/tarBuilder.ts';

interface Chain {
  readonly title: string;
  readonly layers: readonly EntrySpec[][];
}

/** Every case twice: as the first layer, and on the layer that it is meant for. */
const CHAINS: Chain[] = [
  { title: 'two layers with everything in them', layers: [BASE, UPPER] },
  { title: 'the same thing twice', layers: [BASE, BASE] },
  ...EXTRACTOR_CASES.flatMap(({ title, below, entries }) => [
    { title, layers: [entries] },
    ...(below === undefined ? [] : [{ title: `${title}, above`, layers: [below, entries] }]),
    { title: `${title}, on everything`, layers: [BASE, entries] },
  ]),
];

/** Layers whose tar cannot be made again from what is on disk: a check rightly says so. */
const NOT_MADE_AGAIN: ReadonlySet<string> = new Set([
  'one file by two paths',
  'a directory replaced on the way to it',
  'content of entries that have none on disk',
  // vfs: content that is in the tar only
  'what AUFS left in the root',
  'an opaque root with AUFS files in use',
  // vfs: what containers/storage deletes though the layer has it
  'an opaque marker above directories that only the names of files imply',
  'an opaque marker through a symlink, after entries through it',
]);

describe.skipIf(peersSkipReason !== undefined)(peerTitle('a check of odd layers'), () => {
  describe.each<DriverName>(['overlay', 'vfs'])('%s', (driver) => {
    let place: StoreRoot;
    beforeAll(() => {
      place = makeStoreRoot({ driver, on: 'ext4' });
    });
    afterAll(() => place.dispose());

    const open = () =>
      openStore({
        graphRoot: place.graphRoot,
        runRoot: place.runRoot,
        driver,
        env: place.env,
        onWarning: () => undefined,
      });

    const titles = new Map<string, string>();

    it('that containers/storage has unpacked', async () => {
      for (const { title, layers } of CHAINS) {
        let parent: string[] = [];
        for (const entries of layers) {
          const args = ['import-layer', ...parent];
          const { exitCode, stdout } = await containersStorage(place, args, {
            input: buildTar(entries),
            mayFail: true,
          });
          if (exitCode !== 0) break;
          parent = [stdout.trim()];
          titles.set(stdout.trim(), title);
        }
      }
      await expectSound();
    });

    it('that we have unpacked', async () => {
      await using store = await open();
      for (const chain of CHAINS) {
        const added = await store.layers.addChain(chainOf(chain)).catch(() => []);
        for (const { id } of added) titles.set(id, chain.title);
      }
      await expectSound();
    });

    async function expectSound(): Promise<void> {
      await using store = await open();
      const report = await store.check();
      const texts = report.layers.flatMap(({ id, findings }) => {
        const title = titles.get(id) ?? id;
        if (NOT_MADE_AGAIN.has(title.replace(/, (above|on everything)$/, ''))) return [];
        return findings.map(({ text }) => `${title}: ${text}`);
      });
      expect(texts).toEqual([]);
      expect(titles.size).toBeGreaterThan(CHAINS.length / 2);
    }

    function chainOf({ title, layers }: Chain): ChainLayer[] {
      return layers.map((entries, i) => {
        const tar = buildTar(entries);
        const path = join(place.path, `layer-${i}.tar`);
        writeFileSync(path, tar);
        const digest = digestOf(tar);
        const blob = { path, offset: 0, length: tar.length };
        return { what: title, blob, digest, size: tar.length, diffID: digest };
      });
    }
  });
});

describe('what a chain of layers should show', () => {
  it.each(['overlay', 'apply'] as const)('is known for layers that can be unpacked: %s', (rules) => {
    const unknown = CHAINS.filter(({ layers }) => {
      let tree: ExpectedTree | undefined = ExpectedTree.empty();
      for (const entries of layers) tree = tree === undefined ? undefined : replay(tree, entries, rules);
      return tree === undefined;
    });
    const failing = EXTRACTOR_CASES.filter((each) => 'code' in each[rules === 'overlay' ? 'overlay' : 'vfs']);
    const titles = new Set(failing.map(({ title }) => title));
    const surprising = unknown.filter(
      ({ title }) => !titles.has(title.replace(/, (above|on everything)$/, '')),
    );
    expect(surprising.map(({ title }) => title)).toEqual([]);
  });
});

function replay(
  tree: ExpectedTree,
  entries: readonly EntrySpec[],
  rules: 'overlay' | 'apply',
): ExpectedTree | undefined {
  const layer = new LayerReplay(tree, { whiteouts: rules });
  const nothing = () => undefined;
  try {
    const reader = new TarReader({
      entry: (header) => layer.entry(header),
      raw: nothing,
      data: nothing,
      entryEnd: nothing,
    });
    reader.write(buildTar(entries));
    reader.end();
  } catch {
    return undefined;
  }
  return layer.finish();
}
