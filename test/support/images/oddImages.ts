import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DOCKER, Layout, named, OCI } from '../../../packages/image/test/support/layout.ts';
import {
  type ArchiveFiles,
  archiveOf,
  dockerArchiveFiles,
  type ImageDescription,
  ociLayoutFiles,
} from '../imageArchive.ts';
import { type TarItem, tarOf } from '../tarWriter.ts';

/** A small image of three layers that every odd form holds. */
export const ODD: ImageDescription & { names: string[] } = {
  names: ['localhost/odd:1'],
  config: { Cmd: ['/one'] },
  layers: ['one', 'two', 'three'].map((name) => [{ name, content: name.repeat(1000) }]),
};
export const SIXTY: ImageDescription = {
  names: ['localhost/sixty:1'],
  layers: Array.from({ length: 60 }, (_, i) => [{ name: `layer-${i}`, content: `${i}\n` }]),
};
export const EMPTY: ImageDescription = { names: ['localhost/empty:1'], layers: [] };

/** Simple signatures as skopeo takes them: it looks at the first byte only, which is that of an OpenPGP packet. */
export const SIGNATURES = [Buffer.from([0x88, 1, 2, 3]), Buffer.from([0x88, 4, 5])];

/**
 * Images that no program of today writes, or that few do. All of them can be read:
 *
 * - `odd/sixty.tar`, `odd/empty.tar` (docker-archive) and `odd/sixty`, `odd/empty` (OCI layouts)
 * - `odd/docker25.tar`: what docker save writes since version 25, an OCI layout with a manifest.json
 * - `odd/symlinks.tar`: layers as `<id>/layer.tar`, one of them a symbolic link to the other
 * - `odd/dots.tar`, `odd/dots.oci.tar`: all names begin with `./`
 * - `odd/untagged.tar`: RepoTags is null
 * - `odd/nested`: an index in an index; `odd/v2s2`: a Docker manifest in an OCI layout; `odd/artifact`: no image
 * - `odd/signed`: a dir with two signatures
 */
export function writeOddImages(root: string): void {
  const put = (name: string, bytes: Uint8Array): void => writeFileSync(join(root, 'odd', name), bytes);
  mkdirSync(join(root, 'odd'));
  for (const [name, image] of Object.entries({ sixty: SIXTY, empty: EMPTY })) {
    put(`${name}.tar`, archiveOf(dockerArchiveFiles([image])));
    writeFiles(join(root, 'odd', name), ociLayoutFiles([image]));
  }
  put('docker25.tar', archiveOf(docker25Files(ODD)));
  put('symlinks.tar', tarOf(symlinkedItems()));
  put('dots.tar', withDots(dockerArchiveFiles([ODD])));
  put('dots.oci.tar', withDots(ociLayoutFiles([ODD])));
  put('untagged.tar', archiveOf(untagged(dockerArchiveFiles([ODD]))));
  writeLayouts(join(root, 'odd'));
  cpSync(join(root, 'dir/v2s2'), join(root, 'odd/signed'), { recursive: true });
  for (const [i, signature] of SIGNATURES.entries()) put(`signed/signature-${i + 1}`, signature);
}

function writeFiles(directory: string, files: ArchiveFiles): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}

function docker25Files(image: ImageDescription): ArchiveFiles {
  const files = ociLayoutFiles([{ ...image, names: [], compression: 'none' }]);
  const index = JSON.parse(String(files.get('index.json')));
  const [name = ''] = image.names ?? [];
  index.manifests[0].annotations = {
    'io.containerd.image.name': name,
    'org.opencontainers.image.ref.name': name.split(':').pop(),
  };
  files.set('index.json', Buffer.from(JSON.stringify(index)));
  const pathOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
  const manifest = JSON.parse(String(files.get(pathOf(index.manifests[0].digest))));
  const layers: Array<{ digest: string }> = manifest.layers;
  const item = {
    Config: pathOf(manifest.config.digest),
    RepoTags: [name],
    Layers: layers.map(({ digest }) => pathOf(digest)),
    LayerSources: Object.fromEntries(layers.map((layer) => [layer.digest, layer])),
  };
  return files.set('manifest.json', Buffer.from(JSON.stringify([item])));
}

/** Two equal layers around another one, the last of them a link to the first. */
function symlinkedItems(): TarItem[] {
  const [one, two] = ODD.layers as [TarItem[], TarItem[]];
  const files = dockerArchiveFiles([{ ...ODD, layers: [one, two, one] }]);
  const [config] = [...files.keys()];
  const Layers = ['x1/layer.tar', 'x2/layer.tar', 'x3/layer.tar'];
  const manifest = [{ Config: config, RepoTags: ODD.names, Layers }];
  return [
    { name: 'x3/layer.tar', type: 'symlink', linkname: '../x1/layer.tar' },
    { name: 'x1/layer.tar', content: tarOf(one) },
    { name: 'x2/layer.tar', content: tarOf(two) },
    { name: config as string, content: files.get(config as string) as Buffer },
    { name: 'manifest.json', content: JSON.stringify(manifest) },
  ];
}

function withDots(files: ArchiveFiles): Buffer {
  return archiveOf(new Map([...files].map(([name, bytes]) => [`./${name}`, bytes])));
}

function untagged(files: ArchiveFiles): ArchiveFiles {
  const [item] = JSON.parse(String(files.get('manifest.json')));
  return files.set('manifest.json', Buffer.from(JSON.stringify([{ ...item, RepoTags: null }])));
}

function writeLayouts(directory: string): void {
  const layers = (ODD.layers as TarItem[][]).map((items) => tarOf(items));
  const [name = ''] = ODD.names;
  const nested = new Layout();
  const platforms = ['amd64', 'arm64'].map((architecture) => ({
    ...nested.image({ layers, config: { architecture } }),
    platform: { os: 'linux', architecture },
  }));
  nested.entries(nested.index([nested.index(platforms)], named(name))).writeTo(join(directory, 'nested'));

  const docker = new Layout();
  const config = docker.put(DOCKER.config, nestedConfig(nested, platforms[0]?.digest as string));
  const blobs = layers.map((layer) => docker.put(DOCKER.layer, layer));
  const manifest = { schemaVersion: 2, mediaType: DOCKER.manifest, config, layers: blobs };
  docker
    .entries(docker.put(DOCKER.manifest, Buffer.from(JSON.stringify(manifest)), named(name)))
    .writeTo(join(directory, 'v2s2'));

  const artifact = new Layout();
  const empty = artifact.put('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const content = artifact.put('text/plain', Buffer.from('an artifact\n'));
  const document = {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    artifactType: 'application/vnd.example.note',
    config: empty,
    layers: [content],
  };
  artifact
    .entries(artifact.put(OCI.manifest, Buffer.from(JSON.stringify(document)), named('note')))
    .writeTo(join(directory, 'artifact'));
}

function nestedConfig(layout: Layout, manifestDigest: string): Buffer {
  const blob = (digest: string): Buffer => layout.files.get(`blobs/${digest.replace(':', '/')}`) as Buffer;
  return blob(JSON.parse(String(blob(manifestDigest))).config.digest);
}
