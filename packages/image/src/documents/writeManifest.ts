/** Manifests as Go programs write them: the order of keys is that of upstream's types. */
import { type Digest, digestOf, goJsonStringify } from '@sediment/core';
import type { ImageDocument } from '../sources/imageSource.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST } from './mediaTypes.ts';

/** A blob as a new manifest names it. */
export interface NamedBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface NewManifest {
  readonly type: typeof OCI_MANIFEST | typeof DOCKER_MANIFEST;
  /** Its media type becomes that of the form. */
  readonly config: NamedBlob;
  /** Base first. */
  readonly layers: readonly NamedBlob[];
  /**
   * The manifest in whose place it comes, parsed. What that says beside config and layers (annotations, subject)
   * is kept in an OCI manifest; one of Docker has no place for it.
   */
  readonly from?: unknown;
}

/** Writes a manifest. Source: upstream's `manifest.OCI1` and `manifest.Schema2`. */
export function writeManifest(manifest: NewManifest): ImageDocument {
  const value = manifest.type === OCI_MANIFEST ? ociManifest(manifest) : dockerManifest(manifest);
  const bytes = new TextEncoder().encode(goJsonStringify(value));
  return { mediaType: manifest.type, digest: digestOf(bytes), bytes };
}

function dockerManifest({ config, layers }: NewManifest): object {
  const named = ({ mediaType, size, digest, urls = [] }: NamedBlob) => ({
    mediaType,
    size,
    digest,
    ...(urls.length === 0 ? {} : { urls }),
  });
  return {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: named({ ...config, mediaType: DOCKER_CONFIG, urls: [] }),
    layers: layers.map(named),
  };
}

/** Keys that a manifest of OCI has after its layers, in this order. */
const OWN_KEYS = ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers'];
const LAST_KEYS = ['subject', 'annotations'];

function ociManifest({ config, layers, from }: NewManifest): object {
  const old = isOciManifest(from) ? from : undefined;
  const { artifactType, subject, annotations } = old ?? {};
  const others = Object.entries(old ?? {}).filter(
    ([key]) => !OWN_KEYS.includes(key) && !LAST_KEYS.includes(key),
  );
  return {
    schemaVersion: 2,
    ...(old !== undefined && old.mediaType === undefined ? {} : { mediaType: OCI_MANIFEST }),
    ...(artifactType === undefined ? {} : { artifactType }),
    config: ociDescriptor({ ...config, mediaType: OCI_CONFIG }),
    layers: layers.map(ociDescriptor),
    ...(subject === undefined ? {} : { subject }),
    ...(annotations == null ? {} : { annotations: sorted(annotations as Record<string, string>) }),
    ...Object.fromEntries(others),
  };
}

function isOciManifest(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const { mediaType, config } = value as { mediaType?: unknown; config?: { mediaType?: unknown } };
  return mediaType == null ? config?.mediaType === OCI_CONFIG : mediaType === OCI_MANIFEST;
}

function ociDescriptor({ mediaType, digest, size, urls = [], annotations = {} }: NamedBlob): object {
  return {
    mediaType,
    digest,
    size,
    ...(urls.length === 0 ? {} : { urls }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations: sorted(annotations) }),
  };
}

/** Go writes the keys of a map in the order of their bytes. */
function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  const keys = Object.keys(map).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Object.fromEntries(keys.map((key) => [key, map[key] as string]));
}
