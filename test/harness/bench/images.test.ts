import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { divideFiles, withParents } from '../../../scripts/bench/images/hostFiles.js';
import { hostPackageSource } from '../../../scripts/bench/images/hostPackageSource.js';
import { ImageLibrary } from '../../../scripts/bench/images/imageLibrary.js';
import { makeScratchDirectory, removeScratchDirectory } from '../../support/storeRoot.ts';

const scratch: string[] = [];
afterEach(() => {
  for (const path of scratch.splice(0)) removeScratchDirectory(path);
});

/** A directory like /etc/apt with these files below `sources.list.d`. */
function apt(files: Record<string, string>): string {
  const directory = makeScratchDirectory('apt');
  scratch.push(directory);
  mkdirSync(join(directory, 'sources.list.d'));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(directory, 'sources.list.d', name), text);
  return directory;
}

describe('hostPackageSource', () => {
  it('reads either format, and leaves sources of single programs aside', () => {
    const other = 'deb https://packages.example.com/apt stable main\n';
    const list = 'deb [signed-by=/key] http://deb.example.org/debian bookworm main\n';
    const sources = 'Types: deb\nURIs: http://deb.example.org/ubuntu/\nSuites: noble noble-updates\n';
    expect(hostPackageSource(apt({ 'a.list': other, 'b.list': list }))).toEqual({
      mirror: 'http://deb.example.org/debian',
      suite: 'bookworm',
    });
    expect(hostPackageSource(apt({ 'a.sources': sources }))).toEqual({
      mirror: 'http://deb.example.org/ubuntu/',
      suite: 'noble',
    });
  });

  it('finds none where there is none', () => {
    expect(hostPackageSource(apt({ 'readme.txt': 'deb http://a/debian b main' }))).toBeUndefined();
    expect(hostPackageSource('/nonexistent')).toBeUndefined();
  });
});

describe('ImageLibrary', () => {
  it('makes no base system for images that have none, and keeps them apart from those that have', () => {
    const directory = makeScratchDirectory('images');
    scratch.push(directory);
    const notes: string[] = [];
    const note = (line: string): number => notes.push(line);
    const images = new ImageLibrary({ directory, scratch: directory, quick: false, note });
    const archive = images.archive('few-layers', 'oci-gzip');
    expect(archive).toMatch(/\/bench-images-\d+-made\/few-layers\/oci-gzip\.tar$/);
    expect(images.layerFiles('few-layers', 'gzip')).toHaveLength(3);
    expect(images.areKept).toBe(false);
    expect(images.baseOrigin).toBeUndefined();
    const before = notes.length;
    expect(images.archive('few-layers', 'oci-gzip')).toBe(archive);
    expect(notes).toHaveLength(before);
  });
});

describe('files of layers', () => {
  const file = (path: string, size: number) => ({ path, size, isDirectory: false });

  it('are divided by bytes, none lost, in order', () => {
    const files = Array.from({ length: 10 }, (_, n) => file(`f${n}`, n < 2 ? 40 : 10));
    const parts = divideFiles(files, 4);
    expect(parts.map((part) => part.length)).toEqual([1, 1, 4, 4]);
    expect(parts.flat()).toEqual(files);
  });

  it('may all be empty', () => {
    expect(divideFiles([file('a', 0), file('b', 0)], 2).flat()).toHaveLength(2);
  });

  it('come after the directories that they lie in', () => {
    expect(withParents(['a/b/c', 'a/b', 'a/d'])).toEqual(['a', 'a/b', 'a/b/c', 'a/d']);
  });
});
