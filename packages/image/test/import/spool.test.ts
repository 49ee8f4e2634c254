import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
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

/** Directories of open files of this process below a directory; nameless ones are shown as `#inode (deleted)`. */
function openFilesBelow(directory: string): string[] {
  const targets = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return targets.filter((path) => path.startsWith(`${directory}/`));
}

/** What lies in each directory for temporary files while the image is being imported. */
async function importWatched(
  store: Store,
  from: string,
  options: { spoolDirectory?: string; places: readonly string[] },
) {
  let open: number[] = [];
  await importImage(store, from, {
    platform: 'linux/amd64',
    ...(options.spoolDirectory === undefined ? {} : { spoolDirectory: options.spoolDirectory }),
    onProgress: ({ type }) => {
      if (type !== 'image-start') return;
      open = options.places.map((place) => openFilesBelow(place).length);
      expect(options.places.flatMap((place) => names(place))).toEqual([]);
    },
  });
  return open;
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

describe.skipIf(!isRoot)('the temporary copy of an import (needs root)', () => {
  it.each(['compressed file', 'pipe', 'compressed pipe'] as const)(
    "of a %s is one file without a name on the store's own disk",
    async (kind) => {
      await using root = makeStoreRoot();
      const { graphRoot, runRoot, env } = root;
      await using store = await openStore({ graphRoot, runRoot, env, onWarning: () => undefined });
      const place = join(graphRoot, 'sediment/tmp');
      let from = scratchFile(kind === 'pipe' ? ARCHIVE : COMPRESSED);
      if (kind !== 'compressed file') {
        const pipe = join(scratch(), 'pipe');
        execFileSync('mkfifo', [pipe]);
        spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', from, pipe]);
        from = pipe;
      }
      expect(await importWatched(store, from, { places: [place, root.tmp] })).toEqual([1, 0]);
      expect(statSync(place).mode & 0o777).toBe(0o700);
      expect(statSync(join(place, '..')).mode & 0o777).toBe(0o700);
      expect([...openFilesBelow(place), ...names(place), ...names(root.tmp)]).toEqual([]);
    },
  );

  it('of a plain file is not made at all', async () => {
    await using root = makeStoreRoot();
    const { graphRoot, runRoot, env } = root;
    await using store = await openStore({ graphRoot, runRoot, env, onWarning: () => undefined });
    const place = join(graphRoot, 'sediment/tmp');
    expect(await importWatched(store, scratchFile(ARCHIVE), { places: [place, root.tmp] })).toEqual([0, 0]);
    expect(readdirSync(graphRoot)).not.toContain('sediment');
  });

  it('goes where the option says', async () => {
    await using root = makeStoreRoot();
    const { graphRoot, runRoot, env, tmp } = root;
    await using store = await openStore({ graphRoot, runRoot, env, onWarning: () => undefined });
    const options = { spoolDirectory: tmp, places: [join(graphRoot, 'sediment/tmp'), tmp] };
    expect(await importWatched(store, scratchFile(COMPRESSED), options)).toEqual([0, 1]);
    expect(readdirSync(graphRoot)).not.toContain('sediment');
  });
});
