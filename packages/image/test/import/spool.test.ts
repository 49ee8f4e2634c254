import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openStore, type Store } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { makeStoreRoot } from '../../../../test/support/storeRoot.ts';
import { importImage } from '../../src/import/importImage.ts';
import { layerTar } from '../support/imageParts.ts';
import { layoutOf } from '../support/layout.ts';
import { scratch, scratchFile } from '../support/scratch.ts';

const isRoot = process.getuid?.() === 0;
const ARCHIVE = layoutOf([layerTar('etc/a')], 'app:1').tar();
const COMPRESSED = gzipSync(ARCHIVE);

/** Files without a name that this process has open in a directory. */
function temporaryFilesOn(directory: string): string[] {
  const targets = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return targets.filter((path) => path.startsWith(`${directory}/`) && path.endsWith(' (deleted)'));
}

/** How many temporary files lie in each of the places while the image is being imported. */
async function importWatched(
  store: Store,
  from: string,
  places: readonly string[],
  spoolDirectory?: string,
): Promise<number[]> {
  let counts: number[] = [];
  await importImage(store, from, {
    platform: 'linux/amd64',
    ...(spoolDirectory === undefined ? {} : { spoolDirectory }),
    onProgress: ({ type }) => {
      if (type === 'image-start') counts = places.map((place) => temporaryFilesOn(place).length);
    },
  });
  return counts;
}

describe.skipIf(!isRoot)('the temporary copy of an import (needs root)', () => {
  it.each(['compressed file', 'pipe', 'compressed pipe'] as const)(
    "of a %s is one file without a name on the store's own disk",
    async (kind) => {
      await using root = makeStoreRoot();
      const { graphRoot, runRoot, env } = root;
      await using store = await openStore({ graphRoot, runRoot, env, onWarning: () => undefined });
      let from = scratchFile(kind === 'pipe' ? ARCHIVE : COMPRESSED);
      if (kind !== 'compressed file') {
        const pipe = join(scratch(), 'pipe');
        execFileSync('mkfifo', [pipe]);
        spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', from, pipe]);
        from = pipe;
      }
      expect(await importWatched(store, from, [graphRoot, root.tmp])).toEqual([1, 0]);
      expect([...temporaryFilesOn(graphRoot), ...readdirSync(root.tmp)]).toEqual([]);
      expect(readdirSync(graphRoot)).not.toContain('sediment');
    },
  );

  it('of a plain file is not made at all', async () => {
    await using root = makeStoreRoot();
    const { graphRoot, runRoot, env } = root;
    await using store = await openStore({ graphRoot, runRoot, env, onWarning: () => undefined });
    expect(await importWatched(store, scratchFile(ARCHIVE), [graphRoot, root.tmp])).toEqual([0, 0]);
  });

  it('goes where the option says', async () => {
    await using root = makeStoreRoot();
    const { graphRoot, runRoot, env, tmp } = root;
    await using store = await openStore({ graphRoot, runRoot, env, onWarning: () => undefined });
    expect(await importWatched(store, scratchFile(COMPRESSED), [graphRoot, tmp], tmp)).toEqual([0, 1]);
  });
});
