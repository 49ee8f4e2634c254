import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { containerFormat } from '../records/containerRecord.ts';
import { layerFormat } from '../records/layerRecord.ts';
import { readRecordFile } from '../records/recordFile.ts';
import type { StoreContext } from './storeContext.ts';
import { StorePaths } from './storePaths.ts';

/**
 * Ids of containers that only those see who open the store as a transient one (or who do not, if this is one):
 * what they keep in the graph root lies among ours. Call it under the containers lock.
 */
export async function containersOfOtherMode({ locks, paths }: StoreContext): Promise<ReadonlySet<string>> {
  const { volatileContainers } = otherPaths(paths);
  const file = join(volatileContainers, 'volatile-containers.json');
  if (!existsSync(file)) return new Set();
  const read = async () => new Set((await readRecordFile(file, containerFormat)).records.map(({ id }) => id));
  // The lock in the graph root is held already.
  if (paths.transient) return await read();
  return await locks.lock(join(volatileContainers, 'containers.lock'), { rank: 'containers' }).withRead(read);
}

/** The same for layers; one lock guards both. Call it under the layers lock. */
export async function layersOfOtherMode({ paths }: StoreContext): Promise<ReadonlySet<string>> {
  const file = join(otherPaths(paths).volatileLayers, 'volatile-layers.json');
  return new Set((await readRecordFile(file, layerFormat)).records.map(({ id }) => id));
}

function otherPaths({ graphRoot, runRoot, driver, transient }: StorePaths): StorePaths {
  return new StorePaths(graphRoot, runRoot, driver, { transient: !transient });
}
