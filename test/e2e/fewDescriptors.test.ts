import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overlaySkipReason, titled } from '../support/hostAbility.ts';
import { archiveOf, ociLayoutFiles } from '../support/imageArchive.ts';
import { readRecords } from '../support/records.ts';
import { runProgram, succeeded } from '../support/runProgram.ts';
import { SEDIMENT, sediment } from '../support/sediment.ts';
import {
  makeScratchDirectory,
  makeStoreRoot,
  removeScratchDirectory,
  type StoreRoot,
} from '../support/storeRoot.ts';
import { layerTree } from '../support/storeSnapshot.ts';
import { listTree } from '../support/treeListing.ts';

/** Node and its threads need some forty; a layer that two threads unpack holds hundreds open where it may. */
const LIMITS = [300, 80];

function manyFiles(count: number, directories: number) {
  return Array.from({ length: count }, (_, i) => ({
    name: `srv/${i % directories}/file-${i}`,
    // The blob is large enough for two threads.
    content: `content ${i} `.repeat(60),
    uid: i % 3,
  }));
}

describe.skipIf(overlaySkipReason)(titled('a low limit of open files', overlaySkipReason), () => {
  let directory: string;
  let archive: string;
  let wanted: unknown[];

  beforeAll(async () => {
    directory = makeScratchDirectory('limit');
    archive = join(directory, 'archive.tar');
    const layers = [manyFiles(3000, 200), manyFiles(300, 7), manyFiles(500, 90)];
    const image = { names: ['localhost/many:1'], layers, compression: 'none' as const };
    writeFileSync(archive, archiveOf(ociLayoutFiles([image])));
    await using store = makeStoreRoot();
    await sediment(store, ['import', '-q', archive]);
    wanted = contentOf(store);
  });
  afterAll(() => removeScratchDirectory(directory));

  /** The files of all layers; implicit directories have the time of the import. */
  function contentOf(store: StoreRoot): unknown[] {
    return readRecords(store).layers.map(({ id }) =>
      [...listTree(layerTree(store, id))].filter(([, { kind }]) => kind === 'file'),
    );
  }

  async function limited(store: StoreRoot, limit: number, args: string[]): Promise<void> {
    const roots = ['--root', store.graphRoot, '--runroot', store.runRoot, '--storage-driver', store.driver];
    const script = 'ulimit -n "$1"; shift; exec "$@"';
    const command = ['-c', script, 'sh', String(limit), process.execPath, SEDIMENT, ...roots, ...args];
    succeeded(await runProgram('/bin/sh', command, { env: store.env }));
  }

  it.each(
    LIMITS.flatMap((limit) => ['none', 'ordered'].map((durability): [number, string] => [limit, durability])),
  )('%i: imports, checks, exports and removes an image (%s)', async (limit, durability) => {
    await using store = makeStoreRoot();
    await limited(store, limit, ['--durability', durability, 'import', '-q', archive]);
    expect(contentOf(store)).toEqual(wanted);
    await limited(store, limit, ['check']);
    await limited(store, limit, [
      'export',
      '-q',
      'localhost/many:1',
      `oci-archive:${join(store.tmp, 'out')}`,
    ]);
    await limited(store, limit, ['rmi', 'localhost/many:1']);
    expect(readRecords(store).layers).toEqual([]);
  });
});
