import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratchDirectory, removeScratchDirectory } from './storeRoot.ts';

/** Why no store can be changed here; undefined when it can. */
export const rootSkipReason = process.geteuid?.() === 0 ? undefined : 'needs root';

/** Why the overlay driver cannot work here; undefined when it can. */
export const overlaySkipReason = rootSkipReason ?? tryOverlay();

/** A title that says why the suite is skipped, when it is. */
export function titled(title: string, skipReason: string | undefined): string {
  return skipReason === undefined ? title : `${title} (skipped: ${skipReason})`;
}

function tryOverlay(): string | undefined {
  const directory = makeScratchDirectory('overlay');
  try {
    const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) =>
      join(directory, name),
    );
    for (const path of [lower, upper, work, merged]) mkdirSync(path as string);
    const data = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    const { status, stderr } = spawnSync(
      'mount',
      ['-t', 'overlay', 'overlay', '-o', data, merged as string],
      {
        encoding: 'utf8',
      },
    );
    return status === 0 ? undefined : `no overlay mounts here: ${stderr.trim()}`;
  } finally {
    removeScratchDirectory(directory);
  }
}
