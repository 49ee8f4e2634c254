import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../scripts/bench/images/digestFile.js';
import { makeLargeLayout } from '../../../scripts/bench/images/largeLayout.js';
import { packSpecialFiles } from '../../../scripts/bench/images/madeLayers.js';
import { makeScratchDirectory, removeScratchDirectory } from '../../support/storeRoot.ts';

const scratch: string[] = [];
function scratchDirectory(): string {
  const path = makeScratchDirectory('bench');
  scratch.push(path);
  return path;
}
afterEach(() => {
  for (const path of scratch.splice(0)) removeScratchDirectory(path);
});

describe('packSpecialFiles', () => {
  it('is understood by tar: kinds, modes, owners, devices, times, attributes', () => {
    const tar = join(scratchDirectory(), 'special.tar');
    packSpecialFiles(tar);
    const options = [
      '--verbose',
      '--verbose',
      '--numeric-owner',
      '--full-time',
      '--xattrs',
      '--xattrs-include=*',
    ];
    const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C' };
    const listing = execFileSync('tar', ['--list', ...options, '--file', tar], { encoding: 'utf8', env });
    const entry = (name: string): string =>
      listing.split('\n').find((line) => line.includes(` srv/special/${name}`)) ?? '';
    expect(entry('null')).toMatch(/^crw-rw-rw- +0\/0 +1,3 /);
    expect(entry('disk')).toMatch(/^brw-rw---- +0\/6 +7,200 /);
    expect(entry('pipe')).toMatch(/^prw--w---- +0\/5 /);
    expect(entry('noted')).toMatch(/^-rws--s--x\*? +1000\/2000 +700 .*:40\.000000001 /);
    expect(entry('sticky')).toMatch(/^drwxrwxrwt\*? +65534\/100 /);
    expect(entry('unreadable')).toMatch(/^---------- +123456\/654321 /);
    expect(listing).toContain('security.capability');
    expect(listing).toContain('user.note');
  });
});

describe('makeLargeLayout', () => {
  function make(kind: 'bytes' | 'files', count: number) {
    const layout = join(scratchDirectory(), 'layout');
    makeLargeLayout(layout, { kind, count }, 'localhost/large:1');
    const blob = (digest: string): Buffer => {
      const bytes = readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
      expect(digestBytes(bytes)).toBe(digest);
      return bytes;
    };
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
    const manifest = JSON.parse(blob(index.manifests[0].digest).toString());
    const tar = gunzipSync(blob(manifest.layers[0].digest));
    const config = JSON.parse(blob(manifest.config.digest).toString());
    expect(config.rootfs.diff_ids).toEqual([digestBytes(tar)]);
    expect(existsSync(join(layout, 'facts'))).toBe(false);
    return tar;
  }

  const names = (tar: Buffer): string[] =>
    execFileSync('tar', ['--list', '--file=-'], { input: tar, encoding: 'utf8' }).trimEnd().split('\n');

  it('has so many files, whose digests are true', () => {
    expect(names(make('files', 250)).filter((name) => !name.endsWith('/'))).toHaveLength(250);
  });

  it('has so many megabytes, which compress neither to nothing nor not at all', () => {
    const tar = make('bytes', 3);
    expect(names(tar)).toHaveLength(2 + 3);
    expect(tar.length).toBeGreaterThan(3e6);
    const ratio = gzipSync(tar, { level: 1 }).length / tar.length;
    expect(ratio).toBeGreaterThan(0.2);
    expect(ratio).toBeLessThan(0.7);
  });
});
