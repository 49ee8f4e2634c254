import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type TarItem, tarOf } from './tarWriter.ts';

/** An image to be put into archives; the same description gives the same bytes every time. */
export interface ImageDescription {
  /** Layers from the base to the top: entries, or the bytes of a tar. */
  layers: Array<TarItem[] | Buffer>;
  /** Full names such as `localhost/app:1`. */
  names?: string[];
  /** How OCI layers are stored. Those of a docker-archive are never compressed. */
  compression?: 'gzip' | 'none';
  platform?: { os: string; architecture: string; variant?: string };
  /** Members of the config's `config` object, such as `{ Cmd: ['/bin/sh'] }`. */
  config?: Record<string, unknown>;
}

/** The files of an archive or layout by name, in order. Tests damage an archive by changing them. */
export type ArchiveFiles = Map<string, Buffer>;

interface BuiltImage {
  config: Buffer;
  layers: Array<{ tar: Buffer; blob: Buffer; mediaType: string }>;
}

const CREATED = '2024-01-02T03:04:05.678901234Z';
const OCI = 'application/vnd.oci.image';

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An OCI image layout with one manifest per image, or per name of it. */
export function ociLayoutFiles(images: ImageDescription[]): ArchiveFiles {
  const files: ArchiveFiles = new Map([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', Buffer.alloc(0)],
  ]);
  const addBlob = (mediaType: string, bytes: Buffer): Record<string, unknown> => {
    files.set(`blobs/sha256/${sha256(bytes)}`, bytes);
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const manifests = images.flatMap((image) => {
    const built = buildImage(image);
    const manifest = {
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: addBlob(`${OCI}.config.v1+json`, built.config),
      layers: built.layers.map(({ blob, mediaType }) => addBlob(mediaType, blob)),
    };
    const descriptor = addBlob(manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
    const platform = image.platform ? { platform: image.platform } : {};
    const annotated = (image.names ?? []).map((name) => ({
      ...descriptor,
      ...platform,
      annotations: { 'org.opencontainers.image.ref.name': name },
    }));
    return annotated.length > 0 ? annotated : [{ ...descriptor, ...platform }];
  });
  const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests };
  files.set('index.json', Buffer.from(JSON.stringify(index)));
  return files;
}

/** What `docker save` wrote before it learned OCI: manifest.json, a config and plain layers per image. */
export function dockerArchiveFiles(images: ImageDescription[]): ArchiveFiles {
  const files: ArchiveFiles = new Map();
  const manifest = images.map((image) => {
    const built = buildImage({ ...image, compression: 'none' });
    const Config = `${sha256(built.config)}.json`;
    files.set(Config, built.config);
    const Layers = built.layers.map(({ tar }) => {
      const name = `${sha256(tar)}.tar`;
      files.set(name, tar);
      return name;
    });
    return { Config, RepoTags: image.names ?? [], Layers };
  });
  files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
  return files;
}

/** The files as one tar. */
export function archiveOf(files: ArchiveFiles): Buffer {
  return tarOf([...files].map(([name, content]) => ({ name, content })));
}

/** The DiffIDs of the layers of an image, from the base to the top. */
export function diffIDsOf(image: ImageDescription): string[] {
  return buildImage(image).layers.map(({ tar }) => `sha256:${sha256(tar)}`);
}

/** The id that the image gets in a store: the hex of its config's digest. */
export function imageIdOf(image: ImageDescription): string {
  return sha256(buildImage(image).config);
}

function buildImage({ layers, compression = 'gzip', platform, config = {} }: ImageDescription): BuiltImage {
  const built = layers.map((layer) => {
    const tar = Array.isArray(layer) ? tarOf(layer) : layer;
    return compression === 'gzip'
      ? { tar, blob: gzipSync(tar), mediaType: `${OCI}.layer.v1.tar+gzip` }
      : { tar, blob: tar, mediaType: `${OCI}.layer.v1.tar` };
  });
  const document = {
    created: CREATED,
    ...(platform ?? { os: 'linux', architecture: hostArchitecture() }),
    config,
    rootfs: { type: 'layers', diff_ids: built.map(({ tar }) => `sha256:${sha256(tar)}`) },
    history: built.map((_, index) => ({ created: CREATED, created_by: `layer ${index + 1}` })),
  };
  return { config: Buffer.from(JSON.stringify(document)), layers: built };
}

/** Go's name of the processor that the tests run on, which podman expects of an image that it runs. */
function hostArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
