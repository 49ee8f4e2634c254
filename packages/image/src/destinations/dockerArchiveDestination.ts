import { type Digest, digestHex, StorageError } from '@sediment/core';
import { readImageConfig } from '../documents/imageConfig.ts';
import type { ImageManifest } from '../documents/imageManifest.ts';
import { DOCKER_MANIFEST } from '../documents/mediaTypes.ts';
import type { ArchiveOutput } from './archiveOutput.ts';
import { readCheckedDocument } from './checkedBlob.ts';
import { DockerArchiveItems, parseTag } from './dockerArchiveItems.ts';
import type {
  DestinationLimits,
  ImageDestination,
  NewBlob,
  NewImage,
  OpenDestinationOptions,
  StoredBlob,
} from './imageDestination.ts';
import {
  blobMissing,
  indexUnsupported,
  manifestUnsupported,
  readKnownDocument,
  signaturesUnsupported,
} from './knownDocument.ts';
import { legacyLayers } from './legacyLayers.ts';
import { openArchiveOutput } from './openArchiveOutput.ts';
import type { TarEntryInput } from './tarEntryHeader.ts';
import { TarWriter } from './tarWriter.ts';

const TRANSPORT = 'docker-archive';
const MODE = 0o444;

/**
 * Writes the archive of `docker save`, byte for byte as containers/image does: layers, and per image its
 * config and the directories for old readers; at the end the two documents that list the images.
 *
 * @throws {StorageError} as `openArchiveOutput`
 */
export async function openDockerArchiveDestination(
  location: string,
  options: OpenDestinationOptions,
): Promise<ImageDestination> {
  const refusal = "docker-archive doesn't support modifying existing images";
  return new DockerArchiveDestination(await openArchiveOutput(location, refusal, options));
}

class DockerArchiveDestination implements ImageDestination {
  readonly transport = TRANSPORT;
  readonly location: string;
  readonly limits: DestinationLimits = {
    manifestTypes: [DOCKER_MANIFEST],
    layers: 'plain',
    indexes: false,
    signatures: false,
    names: 'many',
    severalImages: true,
  };
  readonly #output: ArchiveOutput;
  readonly #tar: TarWriter;
  /** They are written where containers/image writes them, which is behind the layers. */
  readonly #configs = new Map<Digest, Buffer>();
  readonly #items = new DockerArchiveItems();
  readonly #written = new Set<string>();

  constructor(output: ArchiveOutput) {
    this.location = output.location;
    this.#output = output;
    this.#tar = new TarWriter(output, { mode: MODE, nameOf: (digest) => `${digestHex(digest)}.tar` });
  }

  async blobSize(digest: Digest): Promise<number | undefined> {
    return this.#configs.get(digest)?.length ?? this.#tar.blobSize(digest);
  }

  async putBlob(blob: NewBlob): Promise<StoredBlob> {
    if (blob.kind === 'layer') return await this.#tar.addBlob(blob);
    const { bytes, ...stored } = await readCheckedDocument(blob, this.location);
    this.#configs.set(stored.digest, bytes);
    return stored;
  }

  async putInstance(): Promise<void> {
    throw indexUnsupported(TRANSPORT, this.location);
  }

  async putImage({ document, names, signatures = [] }: NewImage): Promise<void> {
    const known = readKnownDocument(document, this.location);
    if (known.kind === 'index') throw indexUnsupported(TRANSPORT, this.location);
    if (signatures.length > 0) throw signaturesUnsupported(TRANSPORT, this.location);
    if (known.kind === 'schema1' || document.mediaType !== DOCKER_MANIFEST) {
      throw manifestUnsupported(TRANSPORT, document.mediaType, this.location);
    }
    const tags = names.map(parseTag);
    const config = this.#configOf(known.manifest);
    const diffIDs = this.#layersOf(known.manifest, config);
    await this.#addOnce(`${digestHex(known.manifest.config.digest)}.json`, [
      { name: `${digestHex(known.manifest.config.digest)}.json`, mode: MODE, bytes: config },
    ]);
    const legacy = legacyLayers(diffIDs, config);
    for (const { id, entries } of legacy) await this.#addOnce(id, entries);
    const topLegacyId = legacy.at(-1)?.id;
    const item = { config: known.manifest.config.digest, diffIDs };
    this.#items.add(topLegacyId === undefined ? item : { ...item, topLegacyId }, tags);
  }

  async commit(): Promise<void> {
    await this.#tar.add({ name: 'manifest.json', mode: MODE, bytes: this.#items.manifest() });
    await this.#tar.add({ name: 'repositories', mode: MODE, bytes: this.#items.repositories() });
    await this.#tar.end();
    await this.#output.commit();
  }

  close(): Promise<void> {
    return this.#output.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #configOf({ config }: ImageManifest): Buffer {
    const bytes = this.#configs.get(config.digest);
    if (bytes === undefined) throw blobMissing(config.digest, this.location);
    return bytes;
  }

  /** Layers are files named by their DiffIDs, so the manifest must have these as digests. */
  #layersOf({ layers, config }: ImageManifest, bytes: Buffer): readonly Digest[] {
    const { diffIDs } = readImageConfig({ bytes, what: `config ${config.digest}`, path: this.location });
    const differs = layers.length !== diffIDs.length || layers.some(({ digest }, i) => digest !== diffIDs[i]);
    if (differs) {
      throw new StorageError(
        'MANIFEST_INVALID',
        `${this.location}: the layers are not the DiffIDs of the config`,
        {
          path: this.location,
          object: config.digest,
          hint: 'docker-archive holds uncompressed layers: the manifest must name these',
        },
      );
    }
    for (const diffID of diffIDs) {
      if (this.#tar.blobSize(diffID) === undefined) throw blobMissing(diffID, this.location);
    }
    return diffIDs;
  }

  async #addOnce(key: string, entries: readonly TarEntryInput[]): Promise<void> {
    if (this.#written.has(key)) return;
    this.#written.add(key);
    for (const entry of entries) await this.#tar.add(entry);
  }
}
