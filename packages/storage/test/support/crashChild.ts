/** A program that does one operation on a store and is killed in the middle of it: `node child <job as JSON>`. */
import { type ChainLayer, openStore, type PutImageRequest } from '../../src/index.ts';

export interface CrashJob {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly operation: 'import' | 'create' | 'delete container' | 'delete image';
  readonly chain: readonly ChainLayer[];
  readonly image: PutImageRequest;
}

export const CONTAINER = 'box';

/** The operation itself, as the test does it again after the crash. */
export async function runCrashJob(job: CrashJob): Promise<void> {
  const { graphRoot, runRoot, operation, chain, image } = job;
  await using store = await openStore({
    graphRoot,
    runRoot,
    driver: 'overlay',
    env: { HOME: graphRoot },
    onWarning: () => undefined,
  });
  switch (operation) {
    case 'import':
      await store.layers.addChain(chain);
      await store.images.put(image);
      break;
    case 'create':
      await store.containers.create({ image: image.id, names: [CONTAINER] });
      break;
    case 'delete container':
      await store.containers.delete(CONTAINER);
      break;
    case 'delete image':
      await store.images.delete(image.id);
      break;
  }
}

const [job] = process.argv.slice(2);
if (job?.startsWith('{') === true) {
  const parsed = JSON.parse(job) as CrashJob;
  const bigData = parsed.image.bigData.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) }));
  await runCrashJob({ ...parsed, image: { ...parsed.image, bigData } });
}
