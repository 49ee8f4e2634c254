import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, StorageError } from '@sediment/core';
import {
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1,
  DOCKER_SIGNED_SCHEMA1,
  OCI_MANIFEST,
} from '../documents/mediaTypes.ts';
import type { ImageDocument } from '../sources/imageSource.ts';
import { type DestinationDirectory, openDestinationDirectory } from './destinationDirectory.ts';
import { destinationInvalid, onDestination } from './destinationError.ts';
import type {
  DestinationLimits,
  ImageDestination,
  NewBlob,
  NewImage,
  OpenDestinationOptions,
  StoredBlob,
} from './imageDestination.ts';
import { readKnownDocument, requireBlobs } from './knownDocument.ts';
import { writeSyncedFile } from './stagedBlobs.ts';
import { syncDirectory } from './syncDirectory.ts';

const VERSION_FILE = 'version';
const MANIFEST_FILE = 'manifest.json';
const VERSION = 'Directory Transport Version: 1.1\n';
/** Since this one digests may be others than sha256. */
const VERSION_ANY_DIGEST = 'Directory Transport Version: 1.2\n';
const KNOWN_VERSION = /^Directory Transport Version: 1\.[0-2]\n$/;
/** Every file that the form knows. */
const OWN_FILE =
  /^(?:version|manifest\.json|(?:(?:[a-z0-9]+-)?[0-9a-f]{64,128})(?:\.manifest\.json|\.signature-\d+)?|signature-\d+)$/;

/**
 * Writes one image as a directory of files, of which the blobs are named by their digests. An image that
 * is there is replaced at the commit, by the renaming of its manifest; until then nothing of it is touched.
 *
 * @throws {StorageError} `DESTINATION_INVALID`, `PERMISSION_DENIED`, `NO_SPACE`, `IO`, `ABORTED`
 */
export async function openDirDestination(
  location: string,
  { signal }: OpenDestinationOptions,
): Promise<ImageDestination> {
  const directory = await openDestinationDirectory({
    location,
    check: (path, entries) => checkVersion(path, entries, location),
    ...(signal === undefined ? {} : { signal }),
  });
  return new DirDestination(directory);
}

async function checkVersion(path: string, entries: readonly string[], location: string): Promise<void> {
  if (!entries.includes(VERSION_FILE)) {
    throw destinationInvalid(
      location,
      `${location}: not a containers image directory, don't want to overwrite important data`,
      'give a new or an empty directory, or one that holds an image of this form',
    );
  }
  const file = join(path, VERSION_FILE);
  const text = await onDestination(`reading ${file}`, file, () => readFile(file, 'utf8'));
  if (KNOWN_VERSION.test(text)) return;
  throw destinationInvalid(
    location,
    `${location}: unsupported directory transport version ${JSON.stringify(text.trim().slice(0, 80))}`,
    'another program wrote it: give a new or an empty directory',
  );
}

class DirDestination implements ImageDestination {
  readonly transport = 'dir';
  readonly location: string;
  readonly limits: DestinationLimits = {
    manifestTypes: [OCI_MANIFEST, DOCKER_MANIFEST, DOCKER_SIGNED_SCHEMA1, DOCKER_SCHEMA1],
    layers: 'any',
    indexes: true,
    signatures: true,
    names: 'none',
    severalImages: false,
  };
  readonly #directory: DestinationDirectory;
  /** Documents of instances, with their signatures, by file name. */
  readonly #instances = new Map<string, Uint8Array>();
  /** Of the image. Those of the one that was there before are removed with it. */
  readonly #signatures = new Map<string, Uint8Array>();
  readonly #digests = new Set<Digest>();
  #manifest: Uint8Array | undefined;

  constructor(directory: DestinationDirectory) {
    this.#directory = directory;
    this.location = directory.location;
  }

  async blobSize(digest: Digest): Promise<number | undefined> {
    return this.#directory.blobs.size(digest);
  }

  putBlob(blob: NewBlob): Promise<StoredBlob> {
    return this.#directory.blobs.add(blob);
  }

  async putInstance(document: ImageDocument, signatures: readonly Uint8Array[] = []): Promise<void> {
    await this.#check(document);
    const name = fileNameOf(document.digest);
    this.#digests.add(document.digest);
    this.#instances.set(`${name}.${MANIFEST_FILE}`, document.bytes);
    addSignatures(this.#instances, `${name}.`, signatures);
  }

  async putImage({ document, signatures = [] }: NewImage): Promise<void> {
    if (this.#manifest !== undefined) throw oneImageOnly(this.location);
    await this.#check(document);
    this.#manifest = document.bytes;
    addSignatures(this.#signatures, '', signatures);
  }

  async commit(): Promise<void> {
    await this.#directory.withLock(() => this.#commit());
  }

  close(): Promise<void> {
    return this.#directory.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #check(document: ImageDocument): Promise<void> {
    const known = readKnownDocument(document, this.location);
    if (known.kind !== 'manifest') return;
    const { blobs } = this.#directory;
    await requireBlobs(known.manifest, this.location, async (digest) => blobs.size(digest) !== undefined);
  }

  /**
   * Blobs and instances are named by their content and disturb nobody. The manifest is what makes the image:
   * before it is renamed the old one is whole, afterwards the new one.
   */
  async #commit(): Promise<void> {
    const { path, blobs, location } = this.#directory;
    if (this.#manifest === undefined) throw new TypeError('commit() before putImage()');
    await blobs.moveAll((digest) => join(path, fileNameOf(digest)));
    await this.#putFiles(this.#instances);
    await this.#putFiles(new Map([[VERSION_FILE, Buffer.from(this.#version())]]));
    await this.#putFiles(new Map([[MANIFEST_FILE, this.#manifest]]));
    await this.#putFiles(this.#signatures);
    await onDestination(`writing into ${location}`, location, async () => {
      await this.#removeOthers();
      await syncDirectory(path);
    });
  }

  #version(): string {
    const digests = [...this.#digests, ...this.#directory.blobs.digests()];
    const all256 = digests.every((digest) => digestAlgorithm(digest) === 'sha256');
    return all256 ? VERSION : VERSION_ANY_DIGEST;
  }

  async #putFiles(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { path, staging, location } = this.#directory;
    const what = `writing into ${location}`;
    for (const [name, bytes] of files) {
      const temporary = join(staging, name);
      await writeSyncedFile(temporary, location, (file) =>
        onDestination(what, location, () => file.writeFile(bytes)),
      );
      await onDestination(what, location, () => rename(temporary, join(path, name)));
    }
  }

  /** What is left of the image that was there before. Files that are not of this form stay. */
  async #removeOthers(): Promise<void> {
    const { path, blobs } = this.#directory;
    const kept = new Set([
      ...[VERSION_FILE, MANIFEST_FILE, ...this.#instances.keys(), ...this.#signatures.keys()],
      ...blobs.digests().map(fileNameOf),
    ]);
    for (const name of await readdir(path)) {
      if (OWN_FILE.test(name) && !kept.has(name)) await rm(join(path, name), { force: true });
    }
  }
}

function fileNameOf(digest: Digest): string {
  const algorithm = digestAlgorithm(digest);
  return algorithm === 'sha256' ? digestHex(digest) : `${algorithm}-${digestHex(digest)}`;
}

/** Numbered from 1. */
function addSignatures(
  files: Map<string, Uint8Array>,
  prefix: string,
  signatures: readonly Uint8Array[],
): void {
  for (const [i, bytes] of signatures.entries()) files.set(`${prefix}signature-${i + 1}`, bytes);
}

function oneImageOnly(location: string): StorageError {
  return new StorageError('DESTINATION_INVALID', `${location}: a directory of the form dir holds one image`, {
    path: location,
    hint: 'choose one image, or write to oci, oci-archive or docker-archive',
  });
}
