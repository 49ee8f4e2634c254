/** A program that does many things on a store, as others do at the same time: `node file <job as JSON>`. */
import { Readable } from 'node:stream';
import { openStore, type Store } from '../../src/index.ts';

export interface HammerJob {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly driver: 'overlay' | 'vfs';
  readonly home: string;
  readonly worker: number;
  readonly milliseconds: number;
  /** In the store before: an image, and a container that everybody mounts. */
  readonly image: string;
  readonly shared: string;
}

/** What may happen since others delete, name and mount the same things. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  shutdown: ['LAYERS_MOUNTED'],
  contended: ['LAYER_UNKNOWN', 'DUPLICATE_ID', 'DUPLICATE_NAME', 'LAYER_HAS_CHILDREN', 'PARENT_UNKNOWN'],
};

const EMPTY_TAR = Buffer.alloc(1024);

function actionsOf(
  store: Store,
  { worker, image, shared }: HammerJob,
): Record<string, () => Promise<unknown>> {
  let turn = 0;
  return {
    container: async () => {
      const name = `box-${worker}-${turn++}`;
      const box = await store.containers.create({
        image,
        names: [name],
        bigData: [{ name: 'a', bytes: EMPTY_TAR }],
      });
      await store.mount(box.id);
      if (turn % 2 === 0) await store.unmount(box.id);
      await store.containers.delete(name);
    },
    shared: async () => {
      await store.mount(shared);
      await store.mounted(shared);
      await store.unmount(shared);
    },
    image: async () => {
      const { layer } = await store.images.get(image);
      const made = await store.images.create({ ...(layer === undefined ? {} : { layer }), names: [] });
      await store.images.setBigData(made.id, 'one', EMPTY_TAR);
      await store.objects.setNames(made.id, ['localhost/stolen:1']);
      await store.images.delete(made.id);
    },
    contended: async () => {
      const id = `layer-${turn++ % 3}`;
      await store.layers.create({ id, names: [id] });
      await store.layers.put({ parent: id, id: `child-of-${id}`, diff: Readable.from([EMPTY_TAR]) });
      await store.layers.delete(`child-of-${id}`);
      await store.layers.delete(id);
    },
    diff: async () => {
      const { layer } = await store.images.get(image);
      for await (const chunk of await store.layers.diff(layer as string)) if (chunk.length === 0) return;
    },
    imageMount: async () => {
      await store.mountImage(image);
      await store.unmountImage(image);
    },
    garbage: () => store.collectGarbage(),
    shutdown: () => store.shutdown(),
    check: () => store.check({ quick: true }),
  };
}

async function hammer(job: HammerJob): Promise<void> {
  const { graphRoot, runRoot, driver, home } = job;
  const problems: string[] = [];
  const done: Record<string, number> = {};
  const warn = ({ code, message }: { code: string; message: string }) =>
    problems.push(`warning ${code}: ${message}`);
  for (const end = performance.now() + job.milliseconds; performance.now() < end; ) {
    await using store = await openStore({ graphRoot, runRoot, driver, env: { HOME: home }, onWarning: warn });
    for (const [name, act] of shuffled(Object.entries(actionsOf(store, job)))) {
      try {
        await act();
        done[name] = (done[name] ?? 0) + 1;
      } catch (error) {
        const { code, message, stack } = error as { code?: string; message: string; stack?: string };
        if (EXPECTED[name]?.includes(code ?? '') !== true)
          problems.push(`${name}: ${code}: ${message} ${stack}`);
      }
    }
  }
  process.stdout.write(JSON.stringify({ done, problems }));
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

const [text] = process.argv.slice(2);
if (text?.startsWith('{') === true) await hammer(JSON.parse(text) as HammerJob);
