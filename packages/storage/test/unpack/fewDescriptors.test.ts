import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundledProgram, bundleProgram } from '../../../../test/support/bundleProgram.ts';
import type { UnpackPolicy } from '../../src/drivers/unpackPolicy.ts';
import type { UnpackJob } from '../../src/unpack/unpackJob.ts';
import type { FewDescriptorsJob } from '../support/fewDescriptorsChild.ts';
import { buildTar, type EntrySpec } from './tarBuilder.ts';
import { listTree } from './treeListing.ts';
import { NEEDS_ROOT, OVERLAY, testDirectory, VFS } from './unpackHelper.ts';

const LIMIT = 256;

/** More directories than are kept open, in an order in which none helps the next one; hard links, directories that are replaced. */
function entries(): EntrySpec[] {
  const made: EntrySpec[] = [];
  for (let i = 0; i < 100; i++) made.push({ name: `d${i}/`, mtime: 1000 + i }, { name: `d${i}/sub/` });
  for (let i = 0; i < 1000; i++) {
    const name = `d${(i * 37) % 100}/sub/f${i}`;
    made.push({ name, data: `content ${i}`, uid: i % 3, mtime: 5000 + i });
    if (i % 100 === 0) {
      const link = `d${(i * 3) % 100}/link${i}`;
      made.push({ name: link, type: 'link', link: name, uid: i % 3, mtime: 5000 + i });
    }
  }
  // A path must not occur twice, but a symlink may lead to it.
  for (let i = 0; i < 100; i += 10) {
    made.push({ name: `alias${i}`, type: 'symlink', link: `d${i}` });
    made.push({ name: `alias${i}/sub`, type: 'symlink', link: '..', mtime: 7 });
  }
  return made;
}

describe.skipIf(NEEDS_ROOT !== undefined)(
  `hardly any descriptor is free (${NEEDS_ROOT ?? 'as root'})`,
  () => {
    const temp = testDirectory('few');
    let child: BundledProgram;
    let count = 0;
    beforeAll(async () => {
      const source = new URL('../support/fewDescriptorsChild.ts', import.meta.url);
      child = await bundleProgram(fileURLToPath(source));
      writeFileSync(join(temp.path, 'first'), buildTar([{ name: 'f', data: 'x' }]));
      writeFileSync(join(temp.path, 'layer'), buildTar(entries()));
    });
    afterAll(() => {
      child.remove();
      temp.remove();
    });

    function prepare(name: string, policy: UnpackPolicy, sync: boolean): UnpackJob & { directory: string } {
      const directory = join(temp.path, String(count++));
      const root = join(directory, 'tree');
      mkdirSync(root, { recursive: true });
      const path = join(temp.path, name);
      return {
        what: 'layer 1',
        directory,
        blob: { path, offset: 0, length: readFileSync(path).length },
        expect: {},
        tree: { root, policy },
        tarSplit: { path: join(directory, 'tar-split.gz') },
        sync,
      };
    }

    type Case = Pick<FewDescriptorsJob, 'size' | 'free' | 'numbers'> & { readonly sync: boolean };

    function unpack({ limit, policy }: { limit: number; policy: UnpackPolicy }, { sync, ...how }: Case) {
      const job = prepare('layer', policy, sync);
      const asked: FewDescriptorsJob = { ...how, first: prepare('first', policy, false), job };
      const script = 'ulimit -n "$1"; shift; exec "$@"';
      const args = ['-c', script, 'sh', String(limit), process.execPath, child.path, JSON.stringify(asked)];
      const { stdout, stderr } = spawnSync('/bin/sh', args, { encoding: 'utf8' });
      expect(stderr).toBe('');
      const tarSplit = gunzipSync(readFileSync(join(job.directory, 'tar-split.gz'))).toString();
      // Those of the root are of now.
      const { '.': _, ...tree } = listTree(join(job.directory, 'tree'));
      return { said: JSON.parse(stdout), tarSplit, tree };
    }

    const CASES: Case[] = [
      { size: 1, free: 20, numbers: 'low', sync: true },
      { size: 2, free: 20, numbers: 'low', sync: false },
      { size: 2, free: 20, numbers: 'low', sync: true },
      { size: 2, free: 20, numbers: 'high', sync: true },
    ];

    it.each([OVERLAY, VFS])(
      'makes the same as with many ($whiteouts)',
      (policy) => {
        const many = { size: 1, free: 3000, numbers: 'low', sync: false } as const;
        const wanted = unpack({ limit: 4096, policy }, many);
        for (const how of CASES) {
          expect(unpack({ limit: LIMIT, policy }, how), JSON.stringify(how)).toEqual(wanted);
        }
      },
      120_000,
    );
  },
);
