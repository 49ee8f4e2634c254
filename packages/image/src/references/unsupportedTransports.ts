import { StorageError } from '@sediment/core';

/** For each transport of skopeo and podman that cannot be read: how to get the image in another way. */
const WAYS_ROUND: Readonly<Record<string, (rest: string) => string>> = {
  dir: (rest) => `convert it with "skopeo copy dir:${rest} oci-archive:image.tar" and import that file`,
  docker: (rest) => `fetch it with "skopeo copy docker:${rest} oci-archive:image.tar" and import that file`,
  'docker-daemon': (rest) => `save it with "docker save -o image.tar ${rest}" and import that file`,
  'containers-storage': (rest) =>
    `copy it out with "skopeo copy containers-storage:${rest} oci-archive:image.tar" and import that file`,
  atomic: () => 'copy it out of the registry with skopeo, to an oci-archive, and import that file',
  ostree: () => 'check it out of the repository with ostree and make an OCI layout of it',
  sif: (rest) => `convert it with "skopeo copy sif:${rest} oci-archive:image.tar" and import that file`,
  tarball: (rest) =>
    `convert it with "skopeo copy tarball:${rest} oci-archive:image.tar" and import that file`,
};

/** The error for a transport that is none of ours: known elsewhere, or not known at all. */
export function unsupportedTransport(text: string, transport: string, rest: string): StorageError {
  const way = Object.hasOwn(WAYS_ROUND, transport) ? WAYS_ROUND[transport] : undefined;
  if (way !== undefined) {
    return new StorageError(
      'TRANSPORT_UNSUPPORTED',
      `cannot read ${JSON.stringify(text)}: the transport ${transport} is not supported as a source`,
      { object: text, hint: way(rest) },
    );
  }
  return new StorageError(
    'TRANSPORT_UNKNOWN',
    `invalid image name ${JSON.stringify(text)}, unknown transport ${JSON.stringify(transport)}`,
    {
      object: text,
      hint: 'use docker-archive:file, oci:directory or oci-archive:file; a path with a colon must exist',
    },
  );
}
