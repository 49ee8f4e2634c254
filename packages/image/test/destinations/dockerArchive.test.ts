import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex, digestOf, sha256Hex } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { openTarArchive } from '../../src/archives/tarArchive.ts';
import type { ImageDestination, OpenDestinationOptions } from '../../src/destinations/imageDestination.ts';
import { openImageDestination } from '../../src/destinations/openImageDestination.ts';
import { configBytes, json, layerTar } from '../support/imageParts.ts';
import { DOCKER } from '../support/layout.ts';
import {
  blobOf,
  dockerImage,
  documentOf,
  ociImage,
  putBlobs,
  putImage,
  writeImage,
} from '../support/newImage.ts';
import { rangeBytes } from '../support/rangeBytes.ts';
import { readBack } from '../support/readBack.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const [A, B, C] = ['a', 'b', 'c'].map((name) => layerTar(name)) as [Buffer, Buffer, Buffer];

function open(path: string, options: OpenDestinationOptions = {}): Promise<ImageDestination> {
  return openImageDestination({ transport: 'docker-archive', path }, options);
}

async function entriesOf(path: string): Promise<Map<string, string>> {
  const archive = await openTarArchive(path);
  const entries = archive.index.entries.map((entry): [string, string] => {
    const blob = entry.type === 'file' ? archive.range(entry.path, 'first') : undefined;
    return [entry.path, blob === undefined ? `-> ${entry.linkpath}` : rangeBytes(blob).toString('latin1')];
  });
  await archive.close();
  return new Map(entries);
}

describe('a docker-archive', () => {
  it('has its entries in the order of containers/image', async () => {
    const path = join(scratch(), 'image.tar');
    const config = {
      config: { Labels: { '10': '<a>', '9': 'b & c' } },
      container: 'abc',
      os: 'linux',
      Container: 'other',
    };
    const image = dockerImage([A, B], config);
    await writeImage(open(path), image, { names: ['example.com/app:1'] });
    const [a, b] = [A, B].map((layer) => digestOf(layer)) as [Digest, Digest];
    const lower = sha256Hex(`{"layer_id":"${a}"}`);
    const taken = (id: string) =>
      `{"architecture":"amd64","config":{"Labels":{"9":"b \\u0026 c","10":"\\u003ca\\u003e"}},"container":"abc",` +
      `"container_config":null,"created":"2021-03-04T05:06:07.123456789Z","docker_version":null,${id}` +
      `"os":"linux","parent":"${lower}"}`;
    const chain = digestOf(`${a} ${b}`);
    const upper = sha256Hex(taken(`"layer_id":"${chain}",`));
    const name = `${digestHex(digestOf(image.config))}.json`;
    const tars = [a, b].map((digest) => `${digest.slice(7)}.tar`);
    expect([...(await entriesOf(path))]).toEqual([
      [tars[0], A.toString('latin1')],
      [tars[1], B.toString('latin1')],
      [name, image.config.toString('latin1')],
      [`${lower}/layer.tar`, `-> ../${tars[0]}`],
      [`${lower}/VERSION`, '1.0'],
      [`${lower}/json`, `{"id":"${lower}"}`],
      [`${upper}/layer.tar`, `-> ../${tars[1]}`],
      [`${upper}/VERSION`, '1.0'],
      [`${upper}/json`, taken(`"id":"${upper}",`)],
      [
        'manifest.json',
        `[{"Config":"${name}","RepoTags":["example.com/app:1"],"Layers":["${tars.join('","')}"]}]`,
      ],
      ['repositories', `{"example.com/app":{"1":"${upper}"}}`],
    ]);
  });

  it('holds several images, shared layers once and names sorted as texts', async () => {
    const path = join(scratch(), 'image.tar');
    const [one, two] = [dockerImage([A, B]), dockerImage([A, C])];
    {
      await using destination = await open(path);
      await putImage(destination, one, { names: ['app:9', 'app:10'] });
      await putImage(destination, two, { names: ['team/app:x'] });
      // The same image once more, with further names, of which one was the other's.
      await putImage(destination, one, { names: ['app:latest', 'team/app:x'] });
      await destination.commit();
    }
    const entries = await entriesOf(path);
    expect([...entries.keys()].filter((name) => name.endsWith('.tar') && !name.includes('/'))).toHaveLength(
      3,
    );
    const repositories = entries.get('repositories') as string;
    expect(Object.keys(JSON.parse(repositories))).toEqual(['docker.io/library/app', 'docker.io/team/app']);
    expect(repositories).toMatch(/^\{"docker.io\/library\/app":\{"10":"\w+","9":"\w+","latest":"\w+"\},/);
    expect((await readBack(`docker-archive:${path}`)).map(({ names }) => names)).toEqual([
      ['9', '10', 'latest'].map((tag) => `docker.io/library/app:${tag}`).concat('docker.io/team/app:x'),
      [],
    ]);
  });

  it.each([
    [
      'a digest in a name',
      { names: [`app@${digestOf('x')}`] },
      'REFERENCE_INVALID',
      /does not support digests/,
    ],
    ['a name that is none', { names: ['APP'] }, 'REFERENCE_INVALID', /must be lowercase/],
    [
      'an index',
      {
        document: documentOf(DOCKER.list, json({ schemaVersion: 2, mediaType: DOCKER.list, manifests: [] })),
      },
      'INDEX_UNSUPPORTED',
      /destination transport "docker-archive" does not support copying multiple images as a group/,
    ],
    ['signatures', { signatures: [Buffer.from('s')] }, 'SIGNATURES_UNSUPPORTED', /cannot hold signatures/],
    ['an OCI manifest', { document: ociImage([A]).manifest }, 'NOT_SUPPORTED', /oci\.image\.manifest/],
  ])('refuses %s', async (_, more, code, message) => {
    await using destination = await open(join(scratch(), 'image.tar'));
    const image = dockerImage([A]);
    await putBlobs(destination, image);
    const error = await storageErrorOf(() =>
      destination.putImage({ document: image.manifest, names: [], ...more }),
    );
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('refuses instances of an index', async () => {
    await using destination = await open(join(scratch(), 'image.tar'));
    const put = () => destination.putInstance(dockerImage([]).manifest);
    expect(await storageErrorOf(put)).toMatchObject({ code: 'INDEX_UNSUPPORTED' });
  });

  it('refuses a manifest whose layers are not the DiffIDs', async () => {
    await using destination = await open(join(scratch(), 'image.tar'));
    const config = configBytes([A, B]);
    await putBlobs(destination, { ...dockerImage([A, C]), config });
    const manifest = JSON.parse(Buffer.from(dockerImage([A, C]).manifest.bytes).toString());
    manifest.config = { ...manifest.config, digest: digestOf(config), size: config.length };
    const put = () =>
      destination.putImage({ document: documentOf(DOCKER.manifest, json(manifest)), names: [] });
    expect(await storageErrorOf(put)).toMatchObject({ code: 'MANIFEST_INVALID' });
  });

  it('refuses a config that is too large', async () => {
    await using destination = await open(join(scratch(), 'image.tar'));
    const bytes = Buffer.alloc(4 * 1024 * 1024 + 1);
    const put = () => destination.putBlob(blobOf(bytes, { kind: 'config' }, 1024 * 1024));
    expect(await storageErrorOf(put)).toMatchObject({ code: 'DOCUMENT_TOO_LARGE' });
  });
});

describe('an archive that exists', () => {
  const image = dockerImage([A]);

  it.each([
    ['docker-archive' as const, "docker-archive doesn't support modifying existing images"],
    ['oci-archive' as const, "oci-archive doesn't support modifying existing images"],
  ])('is not touched: %s', async (transport, message) => {
    const path = scratchFile('content');
    const error = await storageErrorOf(() => openImageDestination({ transport, path }));
    expect(error).toMatchObject({ code: 'DESTINATION_EXISTS', message: expect.stringContaining(message) });
    expect(readFileSync(path, 'utf8')).toBe('content');
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('and came into being meanwhile is not touched', async () => {
    const path = join(scratch(), 'image.tar');
    await using destination = await open(path);
    await putImage(destination, image);
    writeFileSync(path, 'content');
    expect(await storageErrorOf(() => destination.commit())).toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(readFileSync(path, 'utf8')).toBe('content');
  });

  it('is replaced when that is asked for, and only at the commit', async () => {
    const path = scratchFile('content');
    {
      await using destination = await open(path, { overwrite: true });
      await putImage(destination, image);
      expect(readFileSync(path, 'utf8')).toBe('content');
    }
    expect(readFileSync(path, 'utf8')).toBe('content');
    await writeImage(open(path, { overwrite: true }), image);
    expect(await readBack(path)).toHaveLength(1);
  });

  it('and is empty is replaced, and keeps its mode', async () => {
    const path = scratchFile('');
    chmodSync(path, 0o640);
    await writeImage(open(path), image);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(await readBack(path)).toHaveLength(1);
  });

  it.each([true, false])('is reached through symbolic links, to something: %s', async (exists) => {
    const directory = scratch();
    const [link, other, target] = ['link', 'other', 'sub/target'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    mkdirSync(join(directory, 'sub'));
    if (exists) writeFileSync(target, '');
    symlinkSync('other', link);
    symlinkSync(target, other);
    await writeImage(open(link), image);
    expect(statSync(target).size).toBeGreaterThan(1000);
    expect(await readBack(link)).toHaveLength(1);
  });

  it('has the mode that the umask gives when it is new', async () => {
    const path = join(scratch(), 'image.tar');
    const umask = process.umask(0o027);
    try {
      await writeImage(open(path), image);
    } finally {
      process.umask(umask);
    }
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });
});
