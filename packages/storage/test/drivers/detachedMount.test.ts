import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { close, O_CLOEXEC, O_DIRECTORY, O_PATH, readMountInfo } from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountDetached, mountInPassing } from '../../src/drivers/overlay/detachedMount.ts';
import { noStore } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined)('a mount that nobody sees', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sediment:test,'));
    for (const name of ['upper', 'lower']) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'both'), name);
      writeFileSync(join(directory, name, name), name);
    }
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const directories = () => [join(directory, 'upper'), join(directory, 'lower')];
  const places = () => readMountInfo().map(({ mountPoint }) => mountPoint);

  function expectMerged(mounted: number, before: string[]): void {
    try {
      const path = `/proc/self/fd/${mounted}`;
      expect(readdirSync(path).sort()).toEqual(['both', 'lower', 'upper']);
      expect(readFileSync(join(path, 'both'), 'utf8')).toBe('upper');
      expect(() => writeFileSync(join(path, 'new'), '')).toThrow(/EROFS/);
      expect(places()).toEqual(before);
    } finally {
      close(mounted);
    }
  }

  it('by descriptors', () => {
    expectMerged(mountDetached({ directories: directories(), options: ['metacopy=on'] }), places());
  });

  it('on older kernels, in passing', () => {
    const before = places();
    const temporary = readdirSync(tmpdir()).sort();
    const fds = directories().map((path) => openSync(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    const lowers = fds.map((fd) => `/proc/self/fd/${fd}`);
    expectMerged(mountInPassing(lowers, []), before);
    for (const fd of fds) close(fd);
    expect(readdirSync(tmpdir()).sort()).toEqual(temporary);
  });

  it('of many directories', () => {
    const many = Array.from({ length: 400 }, (_, i) => join(directory, 'deep'.repeat(20), `${i}`));
    for (const each of many) mkdirSync(each, { recursive: true });
    const mounted = mountDetached({ directories: [...directories(), ...many], options: [] });
    expectMerged(mounted, places());
  });

  it('is refused with the reason', () => {
    expect(() => mountDetached({ directories: [...directories(), '/nonexistent'], options: [] })).toThrow(
      /ENOENT/,
    );
    expect(() => mountDetached({ directories: directories(), options: ['nosuch=1'] })).toThrow(/EINVAL/);
  });
});
