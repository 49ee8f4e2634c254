import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveOf, dockerArchiveFiles, type ImageDescription, ociLayoutFiles } from '../imageArchive.ts';
import { type RandomNumbers, randomNumbers } from '../randomNumbers.ts';
import { type TarItem, tarOf } from '../tarWriter.ts';

const [DIRECTORIES, FILES] = [8, 20];

/** What the steps of a store are made of: two images that share a layer, one whose blobs are kept, a layer. */
export interface StepArchives {
  readonly first: string;
  readonly second: string;
  readonly kept: string;
  /** A layer's tar. */
  readonly layer: string;
}

/** Images as those of applications, but small. Every call makes the same bytes. */
export function writeStepArchives(directory: string): StepArchives {
  mkdirSync(directory, { recursive: true });
  const random = randomNumbers(1);
  const base = manyFiles(random);
  const first: ImageDescription = {
    names: ['localhost/first:1'],
    layers: [base, changes(random), links(random)],
  };
  const second: ImageDescription = {
    names: ['localhost/second:1'],
    layers: [base, manyFiles(random, 'usr')],
  };
  const kept: ImageDescription = {
    names: ['localhost/kept:1'],
    layers: [manyFiles(random, 'opt'), changes(random)],
  };
  const write = (name: string, bytes: Buffer): string => {
    const path = join(directory, name);
    writeFileSync(path, bytes);
    return path;
  };
  return {
    first: write('first.tar', archiveOf(ociLayoutFiles([first]))),
    second: write('second.tar', archiveOf(dockerArchiveFiles([second]))),
    kept: write('kept.tar', archiveOf(ociLayoutFiles([kept]))),
    layer: write('layer.tar', tarOf(manyFiles(random, 'srv'))),
  };
}

function manyFiles(random: RandomNumbers, root = 'app'): TarItem[] {
  const items: TarItem[] = [{ name: `${root}/`, type: 'directory' }];
  for (let i = 0; i < DIRECTORIES; i++) {
    items.push({ name: `${root}/d${i}/`, type: 'directory', mode: i === 0 ? 0o2775 : 0o755, gid: i });
    for (let j = 0; j < FILES; j++) {
      const size = random(4) === 0 ? random(40_000) : random(900);
      const mode = random(10) === 0 ? 0o4755 : 0o644;
      items.push({
        name: `${root}/d${i}/f${j}`,
        content: bytesOf(random, size),
        mode,
        uid: random(3) * 1000,
      });
    }
  }
  items.push({ name: `${root}/large`, content: bytesOf(random, 2_000_000) });
  return items;
}

function changes(random: RandomNumbers): TarItem[] {
  return [
    { name: 'app/d1/.wh.f1' },
    { name: 'app/d2/', type: 'directory' },
    { name: 'app/d2/.wh..wh..opq' },
    { name: 'app/d2/new', content: bytesOf(random, 5000) },
    { name: 'app/d3/f3', content: bytesOf(random, 300), pax: { 'SCHILY.xattr.user.note': 'an attribute' } },
    { name: `app/${'long'.repeat(40)}`, content: 'a name of more than a hundred bytes\n' },
    { name: 'app/fifo', type: 'fifo' },
  ];
}

function links(random: RandomNumbers): TarItem[] {
  const names = Array.from({ length: 10 }, (_, i) => `links/l${i}`);
  return [
    { name: 'links/', type: 'directory' },
    { name: 'links/one', content: bytesOf(random, 70_000), pax: { mtime: '1600000000.123456789' } },
    ...names.map((name): TarItem => ({ name, type: 'hardlink', linkname: 'links/one' })),
    ...names.map((name): TarItem => ({ name: `${name}s`, type: 'symlink', linkname: '../app/large' })),
  ];
}

function bytesOf(random: RandomNumbers, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i + 4 <= size; i += 4) bytes.writeUInt32LE(random(2 ** 32), i);
  return bytes;
}
