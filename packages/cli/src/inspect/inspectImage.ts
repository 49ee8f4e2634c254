import type { ImageInfo, Store } from '@sediment/storage';
import { imageSize } from '../listings/imageSize.ts';
import { type KeptBlobsJson, keptBlobsJson } from '../listings/keptBlobs.ts';
import { type GraphDriver, graphDriver } from './graphDriver.ts';
import { asObject, readImageDocuments } from './imageDocuments.ts';

/** An image as `sediment inspect` prints it, in the words of `podman image inspect`. */
export interface ImageInspection {
  readonly Id: string;
  readonly Digest: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Comment: string;
  readonly Created: string;
  /** How to run the image, as its config says. */
  readonly Config: unknown;
  readonly Author: string;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  /** Bytes; null when the size of a layer is not known. */
  readonly Size: number | null;
  readonly GraphDriver: GraphDriver;
  readonly RootFS: { readonly Type: string; readonly Layers: unknown };
  readonly Labels: unknown;
  readonly Annotations: unknown;
  readonly ManifestType: string;
  readonly User: string;
  readonly History: unknown;
  readonly NamesHistory: readonly string[];
  /** Id of the top layer; empty for an image without layers. podman does not print it. */
  readonly TopLayer: string;
  /** What is kept of the image as it came; null if that is nothing. podman does not know it. */
  readonly KeptBlobs: KeptBlobsJson | null;
}

const RUN_FIELDS = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'ArgsEscaped',
] as const;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export async function inspectImage(store: Store, image: ImageInfo): Promise<ImageInspection> {
  const { manifest = {}, config = {} } = await readImageDocuments(store, image);
  const layers = new Map((await store.layers.list()).map((layer) => [layer.id, layer]));
  const run = asObject(config.config) ?? {};
  const rootfs = asObject(config.rootfs) ?? {};
  const history = Array.isArray(config.history) ? config.history : [];
  const manifestType = text(manifest.mediaType) || OCI_MANIFEST;
  const variant = text(config.variant);
  const kept = await store.blobs.image(image.id);
  return {
    Id: image.id,
    Digest: image.digest ?? '',
    RepoTags: image.names,
    RepoDigests: repoDigests(image),
    Comment: manifestType === OCI_MANIFEST ? text(asObject(history[0])?.comment) : text(config.comment),
    Created: image.created,
    Config: runConfig(run),
    Author: text(config.author),
    Architecture: text(config.architecture),
    ...(variant === '' ? {} : { Variant: variant }),
    Os: text(config.os),
    Size: imageSize(image, layers) ?? null,
    GraphDriver: await graphDriver(store, image.layer),
    RootFS: { Type: text(rootfs.type), Layers: rootfs.diff_ids ?? null },
    Labels: run.Labels ?? null,
    Annotations: manifest.annotations ?? {},
    ManifestType: manifestType,
    User: text(run.User),
    History: history,
    NamesHistory: image.namesHistory,
    TopLayer: image.layer ?? '',
    KeptBlobs: kept === undefined ? null : keptBlobsJson(kept),
  };
}

/** Docker's configs have more than the OCI image-spec knows; podman prints the common part, without empty fields. */
function runConfig(run: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = RUN_FIELDS.map((key) => [key, run[key]] as const);
  return Object.fromEntries(fields.filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === '' || value === false;
}

/** `repository@digest` for each repository that the image has a name in. */
function repoDigests({ names, digests }: ImageInfo): string[] {
  const repositories = names.map((name) => name.replace(/@.*$/, '').replace(/:[^:/]*$/, ''));
  const unique = [...new Set(repositories)].sort();
  return unique.flatMap((repository) => digests.map((digest) => `${repository}@${digest}`));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
