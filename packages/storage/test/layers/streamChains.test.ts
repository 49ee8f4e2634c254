import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Digest, StorageError } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChainEvent, ChainLayer, OpenBytes, Store } from '../../src/index.ts';
import { layerOf, type RangeLayer, treeHash } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

/** Chains whose layers come as streams. */
describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `a chain of streams in a %s store (${noStore ?? 'as root'})`,
  (driver) => {
    let roots: TempRoots;
    let others: TempRoots;
    let store: Store;

    beforeEach(async () => {
      roots = new TempRoots();
      others = new TempRoots();
      store = await roots.open({ driver });
    });
    afterEach(async () => {
      await roots.cleanup();
      await others.cleanup();
    });

    const ranges = (count: number): RangeLayer[] =>
      Array.from({ length: count }, (_, i) => {
        const files = { [`file-${i}`]: `${i}`.repeat(200_000), shared: `${i}` };
        return layerOf(roots.directory, `layer-${i}`, files, { gzip: i % 2 === 0 });
      });
    const bytesOf = ({ blob }: RangeLayer) => readFileSync(blob.path);
    const expectNothing = async () => {
      expect(await store.layers.list()).toEqual([]);
      expect(existsSync(join(roots.graphRoot, driver, 'tempdirs'))).toBe(false);
      expect(existsSync(join(roots.graphRoot, `${driver}-layers/tmp`))).toBe(false);
      expect(roots.warnings).toEqual([]);
    };

    /** The layer as a stream, with a count of how often it was opened and is open. */
    function streamed(layer: RangeLayer, count: { opened: number; open: number; most: number }): ChainLayer {
      const bytes = bytesOf(layer);
      const blob: OpenBytes = async function* () {
        count.opened += 1;
        count.open += 1;
        count.most = Math.max(count.most, count.open);
        try {
          for (let i = 0; i < bytes.length; i += 4096) yield bytes.subarray(i, i + 4096);
        } finally {
          count.open -= 1;
        }
      };
      return { ...layer, blob };
    }

    it('becomes what the same chain of files becomes; each stream is opened once, by a free thread', async () => {
      const count = { opened: 0, open: 0, most: 0 };
      const chain = ranges(12);
      const events: ChainEvent[] = [];
      const layers = await store.layers.addChain(
        chain.map((layer) => streamed(layer, count)),
        { onProgress: (event) => events.push(event) },
      );
      expect(count).toMatchObject({ opened: 12, open: 0 });
      expect(count.most).toBeLessThanOrEqual(4);
      const other = await others.open({ driver });
      const same = await other.layers.addChain(chain);
      const facts = ({ created: _, ...info }: (typeof layers)[number]) => info;
      expect(layers.map(facts)).toEqual(same.map(facts));
      const top = layers.at(-1)?.id as string;
      expect(treeHash(await store.mount(top))).toBe(treeHash(await other.mount(top)));
      for (const [i, { size }] of chain.entries()) {
        const reads = events.flatMap((event) =>
          event.type === 'layer-progress' && event.index === i ? [event.read] : [],
        );
        expect(reads.at(-1)).toBe(size);
      }
      expect((await store.check({ quick: true })).layers).toEqual([]);
    });

    it('does not open the streams of layers that are there', async () => {
      const chain = ranges(2);
      await store.layers.addChain(chain);
      const refuse: OpenBytes = () => {
        throw new Error('opened');
      };
      expect(await store.layers.addChain(chain.map((layer) => ({ ...layer, blob: refuse })))).toHaveLength(2);
    });

    it('comes from the diffs of another store, and of the same store in another order', async () => {
      const other = await others.open({ driver });
      const chain = ranges(6);
      const sources = await other.layers.addChain(chain);
      const from = (source: Store) =>
        sources.map(
          ({ id, diffID }, i): ChainLayer => ({
            what: `layer ${i}`,
            diffID: diffID as Digest,
            blob: async function* () {
              yield* await source.layers.diff(id, { compression: 'none' });
            },
          }),
        );
      const copied = await store.layers.addChain(from(other));
      expect(copied.map(({ id }) => id)).toEqual(sources.map(({ id }) => id));
      const turned = await store.layers.addChain(from(store).reverse());
      expect(turned.map(({ diffID }) => diffID)).toEqual(sources.map(({ diffID }) => diffID).reverse());
      expect((await store.check({ quick: true })).layers).toEqual([]);
    });

    it('fails with the error of a stream, ends the others, and leaves nothing', async () => {
      const count = { opened: 0, open: 0, most: 0 };
      const chain = ranges(5).map((layer) => streamed(layer, count));
      const broken: OpenBytes = async function* () {
        yield new Uint8Array(0);
        throw new StorageError('BLOB_MISSING', 'the connection broke');
      };
      chain[1] = { ...(chain[1] as ChainLayer), blob: broken };
      await expect(store.layers.addChain(chain)).rejects.toMatchObject({
        code: 'BLOB_MISSING',
        message: 'the connection broke',
      });
      await new Promise(setImmediate);
      expect(count.open).toBe(0);
      await expectNothing();
    });

    it.each([
      [
        'is another one',
        'DIGEST_MISMATCH',
        (bytes: Buffer) => Readable.from([Buffer.from(bytes).fill(7, 600, 601)]),
      ],
      ['is cut off', 'SIZE_MISMATCH', (bytes: Buffer) => Readable.from([bytes.subarray(0, -1)])],
      [
        'never ends',
        'SIZE_MISMATCH',
        async function* (bytes: Buffer) {
          yield bytes;
          for (;;) yield Buffer.alloc(100_000);
        },
      ],
    ] as const)('refuses a stream that %s', async (_, code, source) => {
      const [layer] = ranges(2).slice(1) as [RangeLayer];
      const bytes = bytesOf(layer);
      await expect(store.layers.addChain([{ ...layer, blob: () => source(bytes) }])).rejects.toMatchObject({
        code,
      });
      await expectNothing();
    });

    it.each(['aborted', 'ended when the store is closed'])(
      'of streams that say nothing is %s',
      async (how) => {
        const stop = new AbortController();
        const chain = ranges(6).map((layer): ChainLayer => {
          const bytes = bytesOf(layer);
          const blob: OpenBytes = async function* () {
            yield bytes.subarray(0, 100);
            await new Promise(() => undefined);
          };
          return { ...layer, blob };
        });
        const adding = store.layers.addChain(chain, { signal: stop.signal });
        const failed = expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
        await new Promise((resolve) => setTimeout(resolve, 100));
        if (how === 'aborted') stop.abort();
        else await store.close();
        await failed;
        if (how !== 'aborted') store = await roots.open({ driver });
        await expectNothing();
      },
    );
  },
);
