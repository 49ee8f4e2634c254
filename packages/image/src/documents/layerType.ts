/** Media types of layers, and how one form's are said in the other (OCI image-spec, Docker schema 2). */
import { StorageError } from '@sediment/core';
import { isDockerType } from './mediaTypes.ts';

/** How the bytes of a layer can be compressed so that a media type says so. */
export type LayerCompression = 'none' | 'gzip' | 'zstd';

interface LayerType {
  /** Not to be passed on ("foreign", "non-distributable"). */
  readonly isForeign: boolean;
}

const OCI = /^application\/vnd\.oci\.image\.layer\.(nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?$/;
const DOCKER = /^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(?:\.gzip|\.zstd)?$/;

/**
 * The media type of a layer in a manifest of another type, or after its compression has changed.
 *
 * @param from the layer's type in the source
 * @param manifestType of the manifest that will name it
 * @param compression of the bytes as they will be
 * @throws {StorageError} `NOT_SUPPORTED` for a type that is not known, and for zstd in a Docker manifest
 */
export function convertLayerType(from: string, manifestType: string, compression: LayerCompression): string {
  const { isForeign } = readLayerType(from);
  if (!isDockerType(manifestType)) {
    const suffix = compression === 'none' ? '' : `+${compression}`;
    return `application/vnd.oci.image.layer.${isForeign ? 'nondistributable.' : ''}v1.tar${suffix}`;
  }
  if (compression === 'zstd') {
    throw new StorageError(
      'NOT_SUPPORTED',
      `cannot name a layer of type ${JSON.stringify(from)} in a manifest of Docker: zstd compression is not officially supported for docker images`,
      { object: from, hint: 'choose the format oci, or the compression gzip' },
    );
  }
  const suffix = compression === 'none' ? '' : `.${compression}`;
  return `application/vnd.docker.image.rootfs.${isForeign ? 'foreign.' : ''}diff.tar${suffix}`;
}

function readLayerType(mediaType: string): LayerType {
  const match = OCI.exec(mediaType) ?? DOCKER.exec(mediaType);
  if (match !== null) return { isForeign: match[1] !== undefined };
  throw new StorageError(
    'NOT_SUPPORTED',
    `Unknown media type during manifest conversion: ${JSON.stringify(mediaType)}`,
    { object: mediaType, hint: 'copy the image as it is, to a form that holds its manifest' },
  );
}
