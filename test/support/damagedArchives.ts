import { randomFillSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ErrorFacts } from '@sediment/core';
import { bzip2Tar, xzTar, zstdTar } from './compressedTars.ts';
import {
  type ArchiveFiles,
  archiveOf,
  diffIDsOf,
  dockerArchiveFiles,
  type ImageDescription,
  ociLayoutFiles,
  sha256,
} from './imageArchive.ts';
import type { Refusal } from './refusal.ts';
import { SEED_IMAGE } from './seededStore.ts';
import type { DriverName } from './storeRoot.ts';
import { type TarItem, tarOf } from './tarWriter.ts';

/** An archive that cannot be imported, and what has to be said of it; `file` stands for its path. */
export interface DamagedArchive extends Refusal {
  title: string;
  bytes: Buffer;
  args?: string[];
  /** The only driver that cannot hold it. */
  driver?: DriverName;
  /** What a program finds in the error, beside the path. */
  facts?: ErrorFacts;
}

const RANDOM = randomFillSync(Buffer.alloc(64 << 10));
/** Its first two layers are in the store already, two are new. */
export const VICTIM: ImageDescription = {
  names: ['localhost/victim:1'],
  layers: [
    ...SEED_IMAGE.layers,
    [{ name: 'third', content: RANDOM }],
    [{ name: 'fourth', content: 'fourth\n' }],
  ],
};
const VICTIM_TARS = VICTIM.layers.map((layer) => tarOf(layer as TarItem[]));
const THIRD = gzipSync(VICTIM_TARS[2] as Buffer);
const oci = ociLayoutFiles([VICTIM]);
const docker = dockerArchiveFiles([VICTIM]);
const ociBytes = archiveOf(oci);
const dockerBytes = archiveOf(docker);
const THIRD_PATH = `blobs/sha256/${sha256(THIRD)}`;
const THIRD_TAR_PATH = `${sha256(VICTIM_TARS[2] as Buffer)}.tar`;

export const truncatedArchives: DamagedArchive[] = [
  {
    title: 'a docker-archive cut in a layer',
    bytes: dockerBytes.subarray(0, dockerBytes.indexOf(RANDOM) + 1000),
    code: 'TAR_TRUNCATED',
    says: ['FILE', `in the middle of "${THIRD_TAR_PATH}"`],
    facts: { offset: dockerBytes.indexOf(RANDOM) + 1000 },
  },
  {
    title: 'a docker-archive cut in a header',
    bytes: dockerBytes.subarray(0, dockerBytes.indexOf(THIRD_TAR_PATH) + 300),
    code: 'TAR_TRUNCATED',
    says: ['FILE', 'in the middle of a header'],
  },
  {
    title: 'a docker-archive that ends before its manifest.json',
    bytes: dockerBytes.subarray(0, dockerBytes.lastIndexOf('manifest.json', dockerBytes.length)),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['FILE', 'manifest.json: no such file in the archive'],
  },
  {
    title: 'an oci-archive cut in a layer',
    bytes: ociBytes.subarray(0, ociBytes.indexOf(THIRD) + 5000),
    code: 'TAR_TRUNCATED',
    says: ['FILE', `in the middle of "${THIRD_PATH}"`],
  },
  {
    title: 'an oci-archive that ends after its index',
    bytes: ociBytes.subarray(0, ociBytes.indexOf('blobs/sha256/')),
    code: 'BLOB_MISSING',
    says: ['FILE', 'blobs/sha256/'],
  },
  {
    title: 'a compressed archive that is cut',
    bytes: gzipSync(dockerBytes).subarray(0, 40_000),
    code: 'COMPRESSION_INVALID',
    says: ['FILE', 'gzip'],
  },
  {
    title: 'a compressed archive of a cut archive',
    bytes: gzipSync(dockerBytes.subarray(0, dockerBytes.indexOf(RANDOM) + 1000)),
    code: 'TAR_TRUNCATED',
    says: ['FILE', THIRD_TAR_PATH],
  },
  ...[
    { form: 'zstd', bytes: zstdTar.subarray(0, 60) },
    { form: 'xz', bytes: xzTar.subarray(0, 100) },
    { form: 'bzip2', bytes: bzip2Tar.subarray(0, 100) },
  ].map(({ form, bytes }) => ({
    title: `a ${form} archive that is cut`,
    bytes,
    code: 'COMPRESSION_INVALID',
    says: ['FILE', form],
  })),
  {
    title: 'a layer whose tar is cut in a file',
    ...withTopLayer((VICTIM_TARS[2] as Buffer).subarray(0, 9000), 'TAR_TRUNCATED', ['offset 9000']),
    facts: { offset: 9000 },
  },
  {
    title: 'a layer whose tar is cut in a header',
    ...withTopLayer((VICTIM_TARS[2] as Buffer).subarray(0, 300), 'TAR_TRUNCATED', []),
  },
  {
    title: 'a layer that is no tar',
    ...withTopLayer(RANDOM, 'TAR_INVALID', []),
  },
];

export const corruptCompression: DamagedArchive[] = [
  {
    title: 'a gzip layer with a flipped bit',
    ...withTopLayer(flipped(THIRD, THIRD.length >> 1), 'COMPRESSION_INVALID', ['gzip']),
  },
  {
    title: 'a gzip layer with a wrong checksum',
    ...withTopLayer(flipped(THIRD, THIRD.length - 7), 'COMPRESSION_INVALID', ['gzip']),
  },
  {
    title: 'a gzip layer that is cut',
    ...withTopLayer(THIRD.subarray(0, -4), 'COMPRESSION_INVALID', ['gzip']),
  },
  {
    title: 'a gzip layer followed by garbage',
    ...withTopLayer(Buffer.concat([THIRD, Buffer.from('garbage')]), 'COMPRESSION_INVALID', ['gzip']),
  },
  {
    title: 'a zstd layer that is cut',
    ...withTopLayer(zstdTar.subarray(0, -3), 'COMPRESSION_INVALID', ['zstd']),
  },
  {
    title: 'a zstd layer with a flipped bit',
    ...withTopLayer(flipped(zstdTar, 60), 'COMPRESSION_INVALID', ['zstd']),
  },
  {
    title: 'an xz layer that is cut',
    ...withTopLayer(xzTar.subarray(0, -3), 'COMPRESSION_INVALID', ['xz']),
  },
  {
    title: 'a bzip2 layer that is cut',
    ...withTopLayer(bzip2Tar.subarray(0, -3), 'COMPRESSION_INVALID', ['bzip2']),
  },
  {
    title: 'a compressed archive with a flipped bit',
    bytes: flipped(gzipSync(dockerBytes), 30_000),
    code: 'COMPRESSION_INVALID',
    says: ['FILE', 'gzip'],
  },
  {
    title: 'a compressed archive followed by garbage',
    bytes: Buffer.concat([gzipSync(dockerBytes), Buffer.from('garbage')]),
    code: 'COMPRESSION_INVALID',
    says: ['FILE', 'gzip'],
  },
];

const FAKE = `sha256:${'5'.repeat(64)}`;

export const wrongDigests: DamagedArchive[] = [
  {
    title: 'a layer blob with other bytes',
    bytes: changed(oci, THIRD_PATH, (blob) => flipped(blob, blob.length - 9)),
    code: 'DIGEST_MISMATCH',
    says: ['FILE', 'layer 2', `expected sha256:${sha256(THIRD)}`],
    facts: { expected: `sha256:${sha256(THIRD)}` },
  },
  {
    title: 'a layer blob that is cut',
    bytes: changed(oci, THIRD_PATH, (blob) => blob.subarray(0, 20_000)),
    code: 'SIZE_MISMATCH',
    says: ['FILE', 'layer 2', sha256(THIRD), 'has 20000 bytes', `says ${THIRD.length}`],
    facts: { object: `sha256:${sha256(THIRD)}`, expected: THIRD.length, actual: 20_000 },
  },
  {
    title: 'a layer blob that is too long',
    bytes: changed(oci, THIRD_PATH, (blob) => Buffer.concat([blob, Buffer.from('more')])),
    code: 'SIZE_MISMATCH',
    says: ['FILE', 'layer 2', `has ${THIRD.length + 4} bytes`, `says ${THIRD.length}`],
  },
  {
    title: 'a config with other bytes',
    bytes: changed(oci, blobWith('"rootfs"'), (text) => replaced(text, 'layer 1', 'layer x')),
    code: 'DIGEST_MISMATCH',
    says: ['FILE', 'config', 'sha256:'],
  },
  {
    title: 'a config of another size',
    bytes: changed(oci, blobWith('"rootfs"'), (text) => replaced(text, 'layer 1', 'layer one')),
    code: 'SIZE_MISMATCH',
    says: ['FILE', 'config', 'sha256:'],
  },
  {
    title: 'a manifest with other bytes',
    bytes: changed(oci, blobWith('"layers":['), (text) =>
      replaced(text, '"schemaVersion":2', '"schemaVersion":1'),
    ),
    code: 'DIGEST_MISMATCH',
    says: ['FILE', 'manifest', 'sha256:'],
    facts: { object: `sha256:${sha256(oci.get(blobWith('"layers":[')) as Buffer)}` },
  },
  {
    title: 'an oci-archive whose config has another DiffID',
    bytes: rebuilt((text) => replaced(text, diffIDsOf(VICTIM)[2] as string, FAKE)),
    code: 'DIFF_ID_MISMATCH',
    says: ['FILE', 'layer 2', FAKE, diffIDsOf(VICTIM)[2] as string],
    facts: { expected: FAKE, actual: diffIDsOf(VICTIM)[2] as string },
  },
  {
    title: 'a docker-archive whose config has another DiffID',
    bytes: changed(docker, blobWith('"rootfs"', docker), (text) =>
      replaced(text, diffIDsOf(VICTIM)[2] as string, FAKE),
    ),
    code: 'DIFF_ID_MISMATCH',
    says: ['FILE', 'layer 2', FAKE, diffIDsOf(VICTIM)[2] as string],
  },
  {
    title: 'a docker-archive whose layer has other bytes',
    bytes: changed(docker, THIRD_TAR_PATH, (tar) => flipped(tar, 4000)),
    code: 'DIFF_ID_MISMATCH',
    says: ['FILE', 'layer 2', diffIDsOf(VICTIM)[2] as string],
  },
  {
    title: 'a manifest with a digest that is none',
    bytes: changed(oci, 'index.json', (text) =>
      Buffer.from(text.toString().replace(/sha256:[0-9a-f]{64}/, 'sha256:../../../etc/passwd')),
    ),
    code: 'DIGEST_INVALID',
    says: ['FILE', 'sha256:../../../etc/passwd'],
  },
];

export const unsafeLayers: DamagedArchive[] = [
  {
    title: 'a whiteout of nothing',
    ...withTopItems([{ name: 'etc/.wh.' }], 'UNPACK_UNSAFE', ['"etc/.wh."']),
  },
  {
    title: 'a whiteout of the directory itself',
    ...withTopItems([{ name: 'etc/.wh..' }], 'UNPACK_UNSAFE', ['"etc/.wh.."']),
  },
  {
    title: 'a whiteout of the directory above',
    ...withTopItems([{ name: '.wh...' }], 'UNPACK_UNSAFE', ['".wh..."']),
  },
  {
    title: 'a name with a NUL',
    ...withTopItems([{ name: 'x', pax: { path: 'etc/a\0b' } }], 'TAR_INVALID', []),
  },
  {
    title: 'an empty name',
    ...withTopItems([{ name: '' }], 'UNPACK_UNSAFE', ['empty']),
  },
  {
    title: 'a hard link to a file outside',
    ...withTopItems(
      [{ name: 'passwd', type: 'hardlink', linkname: '../../../../../../../etc/hostname' }],
      'UNPACK_FAILED',
      ['"passwd"'],
    ),
  },
  {
    title: 'a path that occurs twice',
    ...withTopItems(
      [
        { name: 'a', content: '1' },
        { name: 'a', content: '2' },
      ],
      'TAR_DUPLICATE_PATH',
      ['"a"'],
    ),
  },
  {
    title: 'a path that occurs twice in two spellings',
    ...withTopItems([{ name: 'd/a' }, { name: './d//a' }], 'TAR_DUPLICATE_PATH', ['d/a']),
  },
  {
    title: 'a whiteout beside an entry of that name',
    driver: 'overlay',
    ...withTopItems([{ name: 'etc/a' }, { name: 'etc/.wh.a' }], 'UNPACK_FAILED', ['etc/.wh.a']),
  },
];

const [DOCKER_CONFIG] = docker.keys();

export const missingBlobs: DamagedArchive[] = [
  { title: 'a missing layer', blob: THIRD_PATH, object: sha256(THIRD) },
  { title: 'a missing config', blob: blobWith('"rootfs"'), object: blobWith('"rootfs"').slice(13) },
  { title: 'a missing manifest', blob: blobWith('"layers":['), object: blobWith('"layers":[').slice(13) },
  {
    title: 'a missing layer of a docker-archive',
    blob: THIRD_TAR_PATH,
    object: THIRD_TAR_PATH,
    files: docker,
  },
  {
    title: 'a missing config of a docker-archive',
    blob: DOCKER_CONFIG as string,
    object: DOCKER_CONFIG as string,
    files: docker,
  },
].map(({ title, blob, object, files = oci }) => ({
  title,
  bytes: archiveOf(new Map([...files].filter(([name]) => name !== blob))),
  code: 'BLOB_MISSING',
  says: ['FILE', object],
}));

export const noPlatforms: DamagedArchive[] = [
  {
    title: 'an index for other machines only',
    bytes: nestedIndex(),
    code: 'PLATFORM_NOT_FOUND',
    says: ['FILE', 'no image found in image index for architecture'],
  },
  {
    title: 'a platform that was asked for and is not there',
    bytes: nestedIndex(),
    args: ['--platform', 'linux/riscv64'],
    code: 'PLATFORM_NOT_FOUND',
    says: ['FILE', '"riscv64"'],
  },
];

export const noArchives: DamagedArchive[] = [
  {
    title: 'an empty file',
    bytes: Buffer.alloc(0),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['FILE', 'it is empty'],
  },
  {
    title: 'a short text',
    bytes: Buffer.from('hello\n'),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['FILE', 'too short'],
  },
  {
    title: 'a long text',
    bytes: Buffer.alloc(5000, 'hello\n'),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['FILE', 'no tar header'],
  },
  { title: 'zeros', bytes: Buffer.alloc(10_240), code: 'SOURCE_UNRECOGNIZED', says: ['FILE'] },
  { title: 'a compressed text', bytes: gzipSync('hello\n'), code: 'SOURCE_UNRECOGNIZED', says: ['FILE'] },
  {
    title: 'a tar of a root file system',
    bytes: VICTIM_TARS[0] as Buffer,
    code: 'SOURCE_UNRECOGNIZED',
    says: ['FILE', 'does not match any of the supported image formats'],
  },
  {
    title: 'a manifest.json that is no JSON',
    bytes: archiveOf(new Map([['manifest.json', Buffer.from('[{"Config"')]])),
    code: 'ARCHIVE_INVALID',
    says: ['FILE', 'manifest.json', 'not valid JSON'],
  },
  {
    title: 'an index.json of another type',
    bytes: archiveOf(new Map([['index.json', Buffer.from('{"schemaVersion":2,"manifests":"none"}')]])),
    code: 'MANIFEST_INVALID',
    says: ['FILE', 'index.json', '"manifests"'],
  },
];

/** An index inside of the index, as of an image for several machines, none of which this is. */
function nestedIndex(): Buffer {
  const platform = { os: 'plan9', architecture: 'mips' };
  const files = ociLayoutFiles([{ ...VICTIM, platform }]);
  const inner = files.get('index.json') as Buffer;
  files.set(`blobs/sha256/${sha256(inner)}`, inner);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const manifests = [{ mediaType, digest: `sha256:${sha256(inner)}`, size: inner.length }];
  files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })));
  return archiveOf(files);
}

/** The victim with one more layer, whose blob has the digest and size that the manifest says. */
function withTopLayer(blob: Buffer, code: string, says: string[]): Omit<DamagedArchive, 'title'> {
  const image = { ...VICTIM, compression: 'none' as const, layers: [...VICTIM.layers, blob] };
  return {
    bytes: archiveOf(ociLayoutFiles([image])),
    code,
    says: ['FILE', 'layer 4', sha256(blob), ...says],
  };
}

function withTopItems(items: TarItem[], code: string, says: string[]): Omit<DamagedArchive, 'title'> {
  return withTopLayer(tarOf([{ name: 'etc/', type: 'directory' }, ...items]), code, says);
}

/** Path of the blob that holds a text. */
function blobWith(text: string, files: ArchiveFiles = oci): string {
  for (const [path, content] of files) {
    if (path !== 'index.json' && path !== 'manifest.json' && content.includes(text)) return path;
  }
  throw new Error(`no blob holds ${text}`);
}

function changed(files: ArchiveFiles, path: string, change: (content: Buffer) => Buffer): Buffer {
  const content = files.get(path);
  if (content === undefined) throw new Error(`no file ${path}`);
  return archiveOf(new Map([...files, [path, change(content)]]));
}

/** The oci-archive with another config, and a manifest and index that fit it. */
function rebuilt(change: (config: Buffer) => Buffer): Buffer {
  const files = new Map(oci);
  const replace = (path: string, next: Buffer, inside: string): Buffer => {
    const old = files.get(path) as Buffer;
    files.set(`blobs/sha256/${sha256(next)}`, next);
    const outer = (files.get(inside) as Buffer).toString();
    return Buffer.from(
      outer
        .replaceAll(sha256(old), sha256(next))
        .replaceAll(`"size":${old.length}}`, `"size":${next.length}}`),
    );
  };
  const [configPath, manifestPath] = [blobWith('"rootfs"'), blobWith('"layers":[')];
  const manifest = replace(configPath, change(files.get(configPath) as Buffer), manifestPath);
  files.set('index.json', replace(manifestPath, manifest, 'index.json'));
  return archiveOf(files);
}

function flipped(bytes: Buffer, offset: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset] = (copy[offset] as number) ^ 1;
  return copy;
}

function replaced(bytes: Buffer, text: string, other: string): Buffer {
  if (!bytes.includes(text)) throw new Error(`nothing to replace: ${text}`);
  return Buffer.from(bytes.toString().replaceAll(text, other));
}
