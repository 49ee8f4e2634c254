import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noStore, TempRoots } from '../support/tempStore.ts';

const host = vi.hoisted(() => ({ hasProc: true }));

/** A host without /proc, where a file without a name cannot be opened again. */
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const existsSync = (path: string) =>
    (host.hasProc || !path.startsWith('/proc/self/fd')) && fs.existsSync(path);
  return { ...fs, existsSync };
});

describe.skipIf(noStore !== undefined)(`temporary files of a store (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;

  beforeEach(() => {
    roots = new TempRoots();
  });
  afterEach(async () => {
    host.hasProc = true;
    await roots.cleanup();
  });

  it('lie on its disk, have no name, and leave nothing', async () => {
    const store = await roots.open();
    const before = readdirSync(roots.graphRoot);
    const { file, path, directory, close } = await store.openTemporaryFile();
    await file.write('some bytes');
    expect(readFileSync(path, 'utf8')).toBe('some bytes');
    expect(directory).toBe(roots.graphRoot);
    expect(await file.stat()).toMatchObject({ dev: statSync(roots.graphRoot).dev, nlink: 0 });
    expect((await file.stat()).mode & 0o777).toBe(0o600);
    expect(readdirSync(roots.graphRoot)).toEqual(before);
    await close();
  });

  it('have a name where they must, in a directory for this user alone', async () => {
    host.hasProc = false;
    const store = await roots.open();
    const umask = process.umask(0);
    try {
      const { path, directory, close } = await store.openTemporaryFile();
      expect(directory).toBe(join(roots.graphRoot, 'sediment/tmp'));
      for (const each of [directory, join(directory, '..')]) expect(statSync(each).mode & 0o7777).toBe(0o700);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      await close();
      expect(readdirSync(directory)).toEqual([]);
    } finally {
      process.umask(umask);
    }
  });

  it('are not for a snapshot', async () => {
    await (await roots.open()).close();
    const snapshot = await roots.open({ access: 'snapshot' });
    await expect(snapshot.openTemporaryFile()).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
  });
});
