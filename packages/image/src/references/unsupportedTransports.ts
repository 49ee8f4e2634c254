import { StorageError } from '@sediment/core';

/** What a reference is for. */
export type ReferenceUse = 'source' | 'destination';

/** How a transport of skopeo and podman that we lack can be reached in another way. */
interface WayRound {
  readonly read: (rest: string) => string;
  readonly write: (rest: string) => string;
}

const byCopy = (transport: string): WayRound => ({
  read: (rest) => `fetch it with "skopeo copy ${transport}:${rest} oci-archive:image.tar" and read that file`,
  write: (rest) => `write an oci-archive, and then "skopeo copy oci-archive:image.tar ${transport}:${rest}"`,
});

const notWritten = () => 'write an oci-archive, which most programs can read';

const WAYS_ROUND: Readonly<Record<string, WayRound>> = {
  docker: byCopy('docker'),
  'docker-daemon': {
    read: (rest) => `save it with "docker save -o image.tar ${rest}" and read that file`,
    write: () => 'write a docker-archive, and then "docker load -i image.tar"',
  },
  atomic: {
    read: () => 'copy it out of the registry with skopeo, to an oci-archive, and read that file',
    write: notWritten,
  },
  ostree: {
    read: () => 'check it out of the repository with ostree and make an OCI layout of it',
    write: notWritten,
  },
  sif: { ...byCopy('sif'), write: notWritten },
  tarball: { ...byCopy('tarball'), write: notWritten },
};

export interface UnsupportedTransport {
  /** The whole reference. */
  readonly text: string;
  readonly transport: string;
  readonly rest: string;
  readonly use: ReferenceUse;
}

/** The error for a transport that is none of ours: known elsewhere, or not known at all. */
export function unsupportedTransport({ text, transport, rest, use }: UnsupportedTransport): StorageError {
  const way = Object.hasOwn(WAYS_ROUND, transport) ? WAYS_ROUND[transport] : undefined;
  if (way !== undefined) {
    return new StorageError(
      'TRANSPORT_UNSUPPORTED',
      `cannot ${use === 'source' ? 'read' : 'write'} ${JSON.stringify(text)}: the transport ${transport} is not supported`,
      { object: text, hint: use === 'source' ? way.read(rest) : way.write(rest) },
    );
  }
  return new StorageError(
    'TRANSPORT_UNKNOWN',
    `Invalid image name ${JSON.stringify(text)}, unknown transport ${JSON.stringify(transport)}`,
    {
      object: text,
      hint: 'use docker-archive:, oci-archive:, oci:, dir: or containers-storage:; a path with a colon must exist',
    },
  );
}
