/** Media types of manifests, lists, configs and layers (OCI image-spec, Docker registry v2 schema 2). */

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
/** Manifests of Docker before 1.10; the second form carries signatures, and its digest is over the rest. */
export const DOCKER_SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json';
export const DOCKER_SIGNED_SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
/** What Docker calls every layer, compressed or not. */
export const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
/** Docker before 1.10 pushed image configs under this type. */
const UNTYPED_CONFIG = 'application/octet-stream';

export type ManifestKind = 'manifest' | 'index' | 'schema1';

const KINDS: Readonly<Record<string, ManifestKind>> = {
  [OCI_MANIFEST]: 'manifest',
  [DOCKER_MANIFEST]: 'manifest',
  [OCI_INDEX]: 'index',
  [DOCKER_LIST]: 'index',
  [DOCKER_SCHEMA1]: 'schema1',
  [DOCKER_SIGNED_SCHEMA1]: 'schema1',
};

/** What a document of this media type is; undefined when the type is not known. */
export function manifestKindOf(mediaType: string): ManifestKind | undefined {
  return Object.hasOwn(KINDS, mediaType) ? KINDS[mediaType] : undefined;
}

export function isDockerType(mediaType: string): boolean {
  return mediaType.startsWith('application/vnd.docker.');
}

/** Whether a manifest of `manifestType` with such a config is an image (and not some other artifact). */
export function isImageConfigType(configType: string, manifestType: string): boolean {
  if (configType === OCI_CONFIG || configType === DOCKER_CONFIG) return true;
  return configType === UNTYPED_CONFIG && manifestType === DOCKER_MANIFEST;
}

const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?)$/;

/** Whether a layer type is one that images have. The type says nothing about the compression of the bytes. */
export function isKnownLayerType(mediaType: string): boolean {
  return LAYER_TYPE.test(mediaType);
}

export function isEncryptedLayerType(mediaType: string): boolean {
  return mediaType.endsWith('+encrypted');
}
