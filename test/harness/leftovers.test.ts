import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assertNothingLeft, findLeftovers } from '../support/leftovers.ts';
import { mountsBelow } from '../support/mounts.ts';
import { runProgram } from '../support/runProgram.ts';
import { makeStoreRoot } from '../support/storeRoot.ts';

const isRoot = process.getuid?.() === 0;
const rootReason = isRoot ? '' : ' (skipped: needs root)';

describe('findLeftovers', () => {
  it('finds nothing on a store that nobody used', () => {
    using store = disposable();
    expect(() => assertNothingLeft(store.root)).not.toThrow();
  });

  it('finds temporary files, staging directories and driver directories without a record', () => {
    using store = disposable();
    const { graphRoot, runRoot, tmp } = store.root;
    const id = 'a'.repeat(64);
    const files = [
      join(graphRoot, 'overlay-layers/.tmp-layers.json123'),
      join(graphRoot, 'overlay-layers/tmp/lock-1'),
      join(graphRoot, `overlay-layers/${id}.tar-split.gz`),
      join(graphRoot, 'overlay/tempdirs/temp-dir-1'),
      join(graphRoot, `overlay-images/${id}/.tmp-manifest1`),
      join(runRoot, 'overlay-layers/.tmp-mountpoints.json1'),
      join(tmp, 'spool'),
    ];
    for (const file of files) {
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, '');
    }
    mkdirSync(join(graphRoot, 'overlay', id));
    expect(findLeftovers(store.root).sort()).toEqual(
      [...files, join(graphRoot, 'overlay', id)].map((file) => `file ${file}`).sort(),
    );
  });

  it('finds a process that works on the store', async () => {
    using store = disposable();
    const abort = new AbortController();
    let pid = 0;
    const sleeper = runProgram(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', store.root.path], {
      signal: abort.signal,
      onStart: (started) => {
        pid = started;
      },
    });
    expect(findLeftovers(store.root).join()).toContain(`process ${pid}`);
    abort.abort();
    expect((await sleeper).signal).toBe('SIGKILL');
  });

  it.skipIf(!isRoot)(`finds a mount, and disposing removes it${rootReason}`, () => {
    using store = disposable();
    mkdirSync(join(store.root.graphRoot, 'overlay'));
    spawnSync('mount', [
      '--bind',
      join(store.root.graphRoot, 'overlay'),
      join(store.root.graphRoot, 'overlay'),
    ]);
    const mountPoint = join(store.root.graphRoot, 'overlay');
    expect(findLeftovers(store.root)).toEqual([`mount of tmpfs on ${mountPoint}`]);
    expect(findLeftovers(store.root, { mounts: [mountPoint] })).toEqual([]);
    store.root.dispose();
    expect(mountsBelow(store.root.path)).toEqual([]);
    expect(existsSync(store.root.path)).toBe(false);
  });
});

describe('makeStoreRoot', () => {
  it.skipIf(!isRoot)(`mounts a fresh ext4 and takes it away again${rootReason}`, () => {
    const store = makeStoreRoot({ on: 'ext4' });
    expect(mountsBelow(store.path).map(({ fstype }) => fstype)).toEqual(['ext4']);
    store.dispose();
    expect(existsSync(store.path)).toBe(false);
    expect(existsSync(`${store.path}.ext4`)).toBe(false);
  });
});

function disposable(): { root: ReturnType<typeof makeStoreRoot>; [Symbol.dispose](): void } {
  const root = makeStoreRoot();
  return { root, [Symbol.dispose]: () => root.dispose() };
}
