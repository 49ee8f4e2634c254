/** A program that reads a store as a snapshot and tells what it found, and what native code it has loaded. */
import { readFileSync } from 'node:fs';
import { openStore } from '../../src/index.ts';

export interface SnapshotFacts {
  readonly layers: number;
  readonly names: readonly string[];
  readonly config: string;
  readonly manifest: string;
  readonly sizeIsKnown: boolean;
  readonly blobs: number;
  /** Names of the addons that are mapped into the process. */
  readonly native: readonly string[];
}

interface Job {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly home: string;
}

async function readSnapshot({ graphRoot, runRoot, home }: Job): Promise<SnapshotFacts> {
  await using store = await openStore({
    ...{ graphRoot, runRoot, driver: 'overlay', access: 'snapshot' as const },
    env: { HOME: home },
  });
  const [image] = await store.images.list();
  if (image === undefined) throw new Error('the store has no image');
  const [name] = image.names;
  const { id } = await store.images.get(name ?? '');
  const config = await store.images.bigData(id, `sha256:${id}`);
  const manifest = await store.images.bigData(id, 'manifest');
  await store.layers.get(image.layer ?? '');
  const size = await store.images.size(id);
  const blobs = await store.blobs.list();
  const layers = await store.layers.list();
  const maps = readFileSync('/proc/self/maps', 'utf8');
  const addons = maps.match(/[^/\s]+\.node$/gm) ?? [];
  return {
    layers: layers.length,
    names: image.names,
    config: Buffer.from(config).toString(),
    manifest: Buffer.from(manifest).toString(),
    sizeIsKnown: size > 0,
    blobs: blobs.length,
    native: [...new Set(addons)],
  };
}

const facts = await readSnapshot(JSON.parse(process.argv[2] ?? '') as Job);
process.stdout.write(JSON.stringify(facts));
