import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Layout, named, OCI } from '../../../packages/image/test/support/layout.ts';
import { type ArchiveFiles, archiveOf, dockerArchiveFiles, ociLayoutFiles } from '../imageArchive.ts';
import type { Refusal } from '../refusal.ts';
import { tarOf } from '../tarWriter.ts';
import { ODD } from './oddImages.ts';

/** A source that cannot be copied, and what has to be said of it; `SOURCE` stands for its path. */
export interface DamagedForm extends Refusal {
  title: string;
  transport: 'docker-archive' | 'oci' | 'oci-archive' | 'dir';
  /** What lies at the path: the bytes of a file, or the files of a directory. */
  content: Buffer | ArchiveFiles;
  /** Chosen image of the source. */
  select?: string;
  /** What skopeo says of the same source; absent where it finds nothing wrong, or follows a path that it should not. */
  peer?: string;
}

const NAME = 'localhost/odd:1';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const docker = dockerArchiveFiles([ODD]);
const oci = ociLayoutFiles([ODD]);
const [CONFIG_FILE = '', FIRST_TAR = ''] = docker.keys();

/** Writes what the form describes, and gives back its reference. */
export function writeForm({ transport, content, select }: DamagedForm, path: string): string {
  if (Buffer.isBuffer(content)) writeFileSync(path, content);
  else writeFiles(path, content);
  return `${transport}:${path}${select === undefined ? '' : `:${select}`}`;
}

function writeFiles(directory: string, files: ArchiveFiles): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), bytes);
  }
}

export const damagedDockerArchives: DamagedForm[] = [
  {
    title: 'a docker-archive whose layer has other bytes',
    content: archiveOf(changed(docker, FIRST_TAR, flip)),
    code: 'DIFF_ID_MISMATCH',
    says: ['SOURCE', FIRST_TAR.slice(0, 64)],
    peer: 'Digest did not match',
  },
  {
    title: 'a docker-archive with fewer layers than its config',
    content: archiveOf(dockerItem((item) => ({ ...item, Layers: [FIRST_TAR] }))),
    code: 'IMAGE_CONFIG_INVALID',
    says: ['SOURCE', 'Inconsistent layer count: 1 in manifest, 3 in config'],
    peer: 'Inconsistent layer count: 1 in manifest, 3 in config',
  },
  {
    title: 'a docker-archive without one of its layers',
    content: archiveOf(without(docker, FIRST_TAR)),
    code: 'BLOB_MISSING',
    says: ['SOURCE', FIRST_TAR],
    peer: 'Some layer tarfiles are missing in the tarball',
  },
  {
    title: 'a docker-archive without its config',
    content: archiveOf(without(docker, CONFIG_FILE)),
    code: 'BLOB_MISSING',
    says: ['SOURCE', CONFIG_FILE],
    peer: `loading tar component ${CONFIG_FILE}: file does not exist`,
  },
  {
    title: 'a docker-archive whose config has no rootfs',
    content: archiveOf(changed(docker, CONFIG_FILE, () => Buffer.from('{"os":"linux"}'))),
    code: 'IMAGE_CONFIG_INVALID',
    says: ['SOURCE', 'Invalid image config (rootFS is not set)'],
    peer: 'Invalid image config (rootFS is not set)',
  },
  {
    title: 'a docker-archive of the oldest kind, with repositories only',
    content: archiveOf(new Map([['repositories', Buffer.from('{}')]])),
    code: 'ARCHIVE_INVALID',
    says: ['SOURCE', 'has no manifest.json'],
    peer: 'loading tar component manifest.json: file does not exist',
  },
  {
    title: 'junk called a docker-archive',
    content: Buffer.alloc(4096, 'junk'),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['SOURCE'],
    peer: 'archive/tar: invalid tar header',
  },
  {
    title: 'a manifest.json of more than a mebibyte',
    content: archiveOf(
      changed(docker, 'manifest.json', (text) => Buffer.concat([text, Buffer.alloc(1 << 20, ' ')])),
    ),
    code: 'DOCUMENT_TOO_LARGE',
    says: ['SOURCE', 'manifest.json', '1048576 bytes'],
    peer: 'exceeded maximum allowed size of 1048576 bytes',
  },
  {
    title: 'a name that the docker-archive has not',
    content: archiveOf(docker),
    select: 'localhost/other:1',
    code: 'IMAGE_NOT_IN_SOURCE',
    says: ['SOURCE', 'localhost/other:1'],
    peer: 'not found',
  },
  {
    title: 'a position that the docker-archive has not',
    content: archiveOf(docker),
    select: '@5',
    code: 'IMAGE_NOT_IN_SOURCE',
    says: ['SOURCE', 'Invalid source index @5, only 1 manifest items available'],
    peer: 'Invalid source index @5, only 1 manifest items available',
  },
  {
    title: 'a docker-archive with two images, none chosen',
    content: archiveOf(
      dockerArchiveFiles([ODD, { ...ODD, names: ['localhost/two:1'], config: { User: 'x' } }]),
    ),
    code: 'IMAGE_AMBIGUOUS',
    says: ['SOURCE', 'localhost/two:1'],
    peer: 'Unexpected tar manifest.json: expected 1 item, got 2',
  },
].map((form) => ({ transport: 'docker-archive' as const, ...form }));

export const damagedLayouts: DamagedForm[] = [
  {
    title: 'an OCI layout whose layer has other bytes',
    content: changed(oci, layerPath(0), flip),
    code: 'DIGEST_MISMATCH',
    says: ['SOURCE', `sha256:${layerPath(0).slice(13)}`],
    peer: `Digest did not match, expected sha256:${layerPath(0).slice(13)}`,
  },
  {
    title: 'an OCI layout whose layer is longer than its manifest says',
    content: changed(oci, layerPath(1), (blob) => Buffer.concat([blob, Buffer.alloc(10)])),
    code: 'SIZE_MISMATCH',
    says: ['SOURCE', layerPath(1).slice(13)],
    peer: 'Digest did not match',
  },
  {
    title: 'an OCI layout without one of its layers',
    content: without(oci, layerPath(2)),
    code: 'BLOB_MISSING',
    says: ['SOURCE', layerPath(2)],
    peer: 'no such file or directory',
  },
  {
    title: 'an OCI layout whose manifest has other bytes',
    content: changed(oci, manifestPath(), (text) => Buffer.concat([text, Buffer.from('\n')])),
    code: 'SIZE_MISMATCH',
    says: ['SOURCE', 'manifest'],
  },
  {
    title: 'an OCI layout without its index.json',
    content: without(oci, 'index.json'),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['SOURCE', 'index.json'],
    peer: 'index.json: no such file or directory',
  },
  {
    title: 'a name that the OCI layout has not',
    content: oci,
    select: 'nope',
    code: 'IMAGE_NOT_IN_SOURCE',
    says: ['SOURCE', 'nope'],
    peer: 'no descriptor found for reference',
  },
  {
    title: 'an OCI layout with two images, none chosen',
    content: ociLayoutFiles([ODD, { ...ODD, names: ['localhost/two:1'], config: { User: 'x' } }]),
    code: 'IMAGE_AMBIGUOUS',
    says: ['SOURCE', 'localhost/two:1'],
    peer: 'more than one image in oci, choose an image',
  },
  {
    title: 'an index for other machines only',
    content: layoutWith((layout) => {
      const manifest = layout.image({ config: { architecture: 'mips' } });
      return layout.index([{ ...manifest, platform: { os: 'plan9', architecture: 'mips' } }]);
    }),
    code: 'PLATFORM_NOT_FOUND',
    says: ['SOURCE', 'no image found in image index for architecture'],
    peer: 'no image found in image index for architecture',
  },
  {
    title: 'a manifest that could be two things',
    content: layoutWith((layout) => layout.image({ manifest: { manifests: [] } })),
    code: 'MANIFEST_INVALID',
    says: ['SOURCE', 'rejecting ambiguous manifest, unexpected fields'],
    peer: 'rejecting ambiguous manifest, unexpected fields',
  },
  {
    title: 'a manifest of more than four mebibytes',
    content: layoutWith((layout) => layout.image({ manifest: { annotations: { a: 'a'.repeat(4 << 20) } } })),
    code: 'DOCUMENT_TOO_LARGE',
    says: ['SOURCE', '4194304 bytes'],
  },
  {
    title: 'a config of more than four mebibytes',
    content: layoutWith((layout) => layout.image({ config: { author: 'a'.repeat(4 << 20) } })),
    code: 'DOCUMENT_TOO_LARGE',
    says: ['SOURCE', '4194304 bytes'],
    peer: 'exceeded maximum allowed size of 4194304 bytes',
  },
  {
    title: 'a layer digest that leads out of the layout',
    content: layoutWith((layout) =>
      layout.image({
        manifest: { layers: [{ mediaType: OCI.layer, digest: 'sha256:../../../../etc/passwd', size: 10 }] },
      }),
    ),
    code: 'DIGEST_INVALID',
    says: ['SOURCE', 'sha256:../../../../etc/passwd'],
  },
  {
    title: 'a manifest that is no JSON',
    content: layoutWith((layout) => layout.put(MANIFEST, Buffer.from('{"schemaVersion":2,'), named(NAME))),
    code: 'MANIFEST_INVALID',
    says: ['SOURCE', 'not valid JSON'],
    peer: 'unexpected end of JSON input',
  },
  {
    title: 'an artifact, which is no image,',
    content: layoutWith((layout) =>
      layout.image({
        manifest: { config: layout.put('application/vnd.oci.empty.v1+json', Buffer.from('{}')) },
      }),
    ),
    code: 'ARTIFACT_UNSUPPORTED',
    says: ['SOURCE', 'application/vnd.oci.empty.v1+json'],
  },
].map((form) => ({ transport: 'oci' as const, ...form }));

export const damagedOciArchives: DamagedForm[] = [
  {
    title: 'junk called an oci-archive',
    content: Buffer.alloc(4096, 'junk'),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['SOURCE'],
    peer: 'archive/tar: invalid tar header',
  },
  {
    title: 'an oci-archive that is cut in a layer',
    content: archiveOf(oci).subarray(0, archiveOf(oci).indexOf(oci.get(layerPath(1)) as Buffer) + 20),
    code: 'TAR_TRUNCATED',
    says: ['SOURCE', layerPath(1)],
    peer: 'unexpected EOF',
  },
  {
    title: 'a tar of something else called an oci-archive',
    content: tarOf([{ name: 'etc/passwd', content: 'root' }]),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['SOURCE', 'index.json'],
    peer: 'index.json: no such file or directory',
  },
].map((form) => ({ transport: 'oci-archive' as const, ...form }));

const dir = dirFiles();

export const damagedDirs: DamagedForm[] = [
  {
    title: 'a dir without a manifest',
    content: without(dir, 'manifest.json'),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['SOURCE', 'manifest.json'],
    peer: 'manifest.json: no such file or directory',
  },
  {
    title: 'a dir without one of its layers',
    content: without(dir, layerPath(0).slice(13)),
    code: 'BLOB_MISSING',
    says: ['SOURCE', layerPath(0).slice(13)],
    peer: 'no such file or directory',
  },
  {
    title: 'a dir whose layer has other bytes',
    content: changed(dir, layerPath(1).slice(13), flip),
    code: 'DIGEST_MISMATCH',
    says: ['SOURCE', layerPath(1).slice(13)],
    peer: 'Digest did not match',
  },
  {
    title: 'a dir of a version to come',
    content: new Map([...dir, ['version', Buffer.from('Directory Transport Version: 7.0\n')]]),
    code: 'NOT_SUPPORTED',
    says: ['SOURCE', 'unsupported directory transport version', '7.0'],
  },
  {
    title: 'a file called a dir',
    content: Buffer.from('no directory'),
    code: 'SOURCE_UNRECOGNIZED',
    says: ['SOURCE'],
    peer: 'not a directory',
  },
].map((form) => ({ transport: 'dir' as const, ...form }));

/** The same image as a dir: its blobs by their hex digests. */
function dirFiles(): ArchiveFiles {
  const blobs = [...oci].filter(([name]) => name.startsWith('blobs/') && name !== manifestPath());
  return new Map([
    ['version', Buffer.from('Directory Transport Version: 1.1\n')],
    ['manifest.json', oci.get(manifestPath()) as Buffer],
    ...blobs.map(([name, bytes]): [string, Buffer] => [name.slice('blobs/sha256/'.length), bytes]),
  ]);
}

function layoutWith(make: (layout: Layout) => unknown): ArchiveFiles {
  const layout = new Layout();
  return layout.entries(make(layout)).files;
}

function manifestPath(): string {
  const [{ digest }] = JSON.parse(String(oci.get('index.json'))).manifests;
  return `blobs/${digest.replace(':', '/')}`;
}

function layerPath(index: number): string {
  const { layers } = JSON.parse(String(oci.get(manifestPath())));
  return `blobs/${layers[index].digest.replace(':', '/')}`;
}

function dockerItem(change: (item: object) => object): ArchiveFiles {
  return changed(docker, 'manifest.json', (text) =>
    Buffer.from(JSON.stringify([change(JSON.parse(String(text))[0])])),
  );
}

function changed(files: ArchiveFiles, name: string, change: (bytes: Buffer) => Buffer): ArchiveFiles {
  return new Map([...files, [name, change(files.get(name) as Buffer)]]);
}

function without(files: ArchiveFiles, name: string): ArchiveFiles {
  return new Map([...files].filter(([each]) => each !== name));
}

/** One bit of the content of the first file. */
function flip(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const offset = bytes.length > 600 ? 600 : bytes.length - 9;
  copy[offset] = (copy[offset] as number) ^ 1;
  return copy;
}
