import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openImageSource, resolveSourceReference } from '../../src/sources/openImageSource.ts';
import { dockerArchive, dockerEntries } from '../support/dockerArchive.ts';
import { layerTar } from '../support/imageParts.ts';
import { layoutOf } from '../support/layout.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';
import { tarBytes } from '../support/tarBytes.ts';

const LAYERS = [layerTar('a')];

async function transportOf(path: string): Promise<string> {
  await using source = await openImageSource(path);
  expect(source.location).toBe(path);
  return source.transport;
}

describe('a source without a transport', () => {
  it('is recognised by its content', async () => {
    expect(await transportOf(layoutOf(LAYERS).writeTo(scratch()))).toBe('oci');
    expect(await transportOf(scratchFile(layoutOf(LAYERS).tar()))).toBe('oci-archive');
    expect(await transportOf(scratchFile(gzipSync(layoutOf(LAYERS).tar())))).toBe('oci-archive');
    expect(await transportOf(scratchFile(dockerArchive([{ layers: LAYERS }])))).toBe('docker-archive');
  });

  it('is OCI if it is both, as docker save writes it since release 25', async () => {
    const both = tarBytes([...layoutOf(LAYERS, 'x').tarEntries(), ...dockerEntries([{ layers: LAYERS }])]);
    const path = scratchFile(both);
    expect(await transportOf(path)).toBe('oci-archive');
    await using source = await openImageSource(`docker-archive:${path}`);
    expect(source.images).toHaveLength(1);
  });

  it('may have a colon in its path, unless it begins like a transport', async () => {
    const directory = scratch();
    const path = join(directory, 'oci:x.tar');
    writeFileSync(path, dockerArchive([{ layers: LAYERS }]));
    expect(await transportOf(path)).toBe('docker-archive');
    const before = process.cwd();
    process.chdir(directory);
    try {
      renameSync(path, 'app:1.tar');
      expect(resolveSourceReference('app:1.tar')).toEqual({ path: 'app:1.tar' });
      expect(await transportOf('app:1.tar')).toBe('docker-archive');
    } finally {
      process.chdir(before);
    }
  });

  it('can be given as an object', async () => {
    const path = scratchFile(dockerArchive([{ layers: LAYERS }]), 'a:b.tar');
    await using source = await openImageSource({ transport: 'docker-archive', path });
    expect(source.images).toHaveLength(1);
  });
});

describe('what is no source', () => {
  const nested = tarBytes(
    layoutOf(LAYERS)
      .tarEntries()
      .map((entry) => ({ ...entry, path: `app/${entry.path}` })),
  );
  it.each([
    ['a missing path', () => join(scratch(), 'none'), 'SOURCE_NOT_FOUND', 'not found', 'check the path'],
    [
      'a path below a file',
      () => join(scratchFile(''), 'x'),
      'SOURCE_NOT_FOUND',
      'not found',
      'check the path',
    ],
    ['an empty file', () => scratchFile(''), 'SOURCE_UNRECOGNIZED', 'it is empty', 'docker save'],
    [
      'a text',
      () => scratchFile('{}'.repeat(600)),
      'SOURCE_UNRECOGNIZED',
      'is not a tar archive',
      'docker save',
    ],
    [
      'an empty archive',
      () => scratchFile(tarBytes([])),
      'SOURCE_UNRECOGNIZED',
      'index.json: no such file',
      'not an image',
    ],
    [
      'a root file system',
      () => scratchFile(tarBytes([{ path: 'etc/passwd' }])),
      'SOURCE_UNRECOGNIZED',
      'manifest.json: no such file',
      'root file system',
    ],
    [
      'a packed directory',
      () => scratchFile(nested),
      'SOURCE_UNRECOGNIZED',
      'oci-archive',
      'tar -C app -cf image.tar .',
    ],
    [
      'an empty directory',
      () => scratch(),
      'SOURCE_UNRECOGNIZED',
      'index.json: no such file',
      'index.json and blobs',
    ],
    [
      'an archive before Docker 1.10',
      () => scratchFile(tarBytes([{ path: 'repositories', data: '{}' }])),
      'ARCHIVE_INVALID',
      'saved by Docker before 1.10',
      'save it again',
    ],
  ] as const)('%s', async (_, make, code, text, hint) => {
    const path = make();
    const error = await storageErrorOf(() => openImageSource(path));
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
    expect(error.message).toContain(path);
    expect(error.hint).toContain(hint);
    expect(error.facts.path).toBe(path);
  });

  it('lists why each form does not fit, in podman’s order', async () => {
    const path = scratchFile(tarBytes([{ path: 'x' }]));
    const { message } = await storageErrorOf(() => openImageSource(path));
    expect([...message.matchAll(/^ \* ([a-z-]+):/gm)].map((match) => match[1])).toEqual([
      'oci',
      'oci-archive',
      'docker-archive',
      'dir',
    ]);
  });

  it.each([
    ['oci', () => scratchFile('x'), 'oci-archive:'],
    ['oci', () => scratch(), 'index.json and blobs'],
    ['oci-archive', () => scratch(), 'oci:'],
    ['docker-archive', () => layoutOf(LAYERS).writeTo(scratch()), 'oci:'],
    ['oci-archive', () => scratchFile(dockerArchive([{ layers: LAYERS }])), 'index.json'],
    ['docker-archive', () => scratchFile(layoutOf(LAYERS).tar()), 'docker save'],
    ['docker-archive', () => scratchFile('x'.repeat(5000)), 'docker save'],
  ])('is refused under the wrong transport %s', async (transport, make, hint) => {
    const path = make();
    const error = await storageErrorOf(() => openImageSource(`${transport}:${path}`));
    expect(error).toMatchObject({ code: 'SOURCE_UNRECOGNIZED', facts: { path } });
    expect(error.hint).toContain(hint);
  });

  it('is missing under any transport', async () => {
    for (const transport of ['oci', 'oci-archive', 'docker-archive']) {
      const path = join(scratch(), 'none');
      const error = await storageErrorOf(() => openImageSource(`${transport}:${path}`));
      expect(error).toMatchObject({ code: 'SOURCE_NOT_FOUND', facts: { path } });
    }
  });

  it('is an entry of the wrong kind', async () => {
    const directory = scratch();
    mkdirSync(join(directory, 'index.json'));
    const asDirectory = await storageErrorOf(() => openImageSource(`oci:${directory}`));
    expect(asDirectory).toMatchObject({
      code: 'ARCHIVE_INVALID',
      facts: { path: join(directory, 'index.json') },
    });
    rmSync(join(directory, 'index.json'), { recursive: true });
    execFileSync('mkfifo', [join(directory, 'index.json')]);
    const asPipe = await storageErrorOf(() => openImageSource(directory));
    expect(asPipe).toMatchObject({ code: 'ARCHIVE_INVALID' });
    for (const [type, word] of [
      ['1', '--hard-dereference'],
      ['5', 'anew'],
      ['3', 'anew'],
    ] as const) {
      const path = scratchFile(
        tarBytes([
          { path: 'x', data: '{}' },
          { path: 'manifest.json', type, linkpath: 'x' },
        ]),
      );
      const error = await storageErrorOf(() => openImageSource(path));
      expect(error).toMatchObject({ code: 'ARCHIVE_INVALID', facts: { path, object: 'manifest.json' } });
      expect(error.hint).toContain(word);
    }
  });

  it('is a link that leads to no file', async () => {
    for (const linkpath of ['missing', 'manifest.json', 'dir', '../../etc/passwd']) {
      const link = { path: 'manifest.json', type: '2', linkpath };
      const path = scratchFile(tarBytes([{ path: 'dir', type: '5' }, link]));
      const error = await storageErrorOf(() => openImageSource(path));
      expect(error).toMatchObject({ code: 'ARCHIVE_INVALID', facts: { path, object: 'manifest.json' } });
      expect(error.message).toContain('symbolic link');
    }
  });
});
