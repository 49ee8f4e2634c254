/** A program that keeps and drops blobs, alone until it is killed or beside others: `node file <job as JSON>`. */
import { createReadStream } from 'node:fs';
import { openStore, type Store } from '../../src/index.ts';
import { addToStore, type KeepableImage, keep, putLayers } from './keptImages.ts';

export interface KeptBlobsJob {
  readonly does: 'import' | 'put' | 'delete image' | 'collect' | 'rebuild' | 'hammer';
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly images: readonly KeepableImage[];
  /** Of `hammer`. */
  readonly milliseconds?: number;
  /** A file to be put, and then told how often it was read. */
  readonly file?: string;
}

export async function runKeptBlobsJob(job: KeptBlobsJob): Promise<string[]> {
  const { graphRoot, runRoot, does, images } = job;
  const warnings: string[] = [];
  await using store = await openStore({
    graphRoot,
    runRoot,
    driver: 'overlay',
    env: { HOME: graphRoot },
    onWarning: ({ code, message }) => warnings.push(`${code} ${message}`),
  });
  switch (does) {
    case 'import':
      for (const image of images) await importKept(store, image);
      break;
    case 'put':
      if (job.file !== undefined) return [String(await putFile(store, job.file))];
      for (const image of images) await putLayers(store, image);
      break;
    case 'delete image':
      for (const { id } of images) await store.images.delete(id);
      break;
    case 'collect':
      await store.blobs.collect({ graceMs: -1000 });
      break;
    case 'rebuild':
      await store.blobs.list();
      break;
    case 'hammer':
      await hammer(store, images, job.milliseconds ?? 1000);
      break;
  }
  return warnings;
}

async function importKept(store: Store, image: KeepableImage): Promise<void> {
  await addToStore(store, image, { keepBlobs: true });
  await store.blobs.keepImage(image.request);
}

/** How many bytes were read of the file. */
async function putFile(store: Store, file: string): Promise<number> {
  const stream = createReadStream(file, { highWaterMark: 1 << 16 });
  await store.blobs.put(stream, { digest: file.split('/').at(-1) as never });
  return stream.bytesRead;
}

/** What may happen because another program deletes what this one has just added. */
const RACES = ['BLOB_UNKNOWN', 'IMAGE_UNKNOWN', 'LAYER_UNKNOWN', 'PARENT_UNKNOWN'];

async function hammer(store: Store, images: readonly KeepableImage[], milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  for (let turn = 0; performance.now() < end; turn++) {
    const image = images[Math.floor(Math.random() * images.length)] as KeepableImage;
    try {
      if (turn % 7 === 6) await store.blobs.collect();
      else if (turn % 3 === 2) await store.images.delete(image.id);
      else if (turn % 3 === 1) await keep(store, image);
      else await importKept(store, image);
    } catch (error) {
      if (!RACES.includes((error as { code: string }).code)) throw error;
    }
  }
}

/** Documents are bytes, which JSON spells out. */
export function reviveJob(text: string): KeptBlobsJob {
  return JSON.parse(text, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data) : value));
}

const [text] = process.argv.slice(2);
if (text?.startsWith('{"does"') === true) {
  process.stdout.write(JSON.stringify(await runKeptBlobsJob(reviveJob(text))));
}
