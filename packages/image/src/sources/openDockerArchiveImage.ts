import { detectCompression } from '@sediment/codec';
import { type Digest, digestOf, StorageError } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';
import { readDocumentBytes, readHead } from '../archives/fileBytes.ts';
import { openRange } from '../archives/openRange.ts';
import type { TarArchive } from '../archives/tarArchive.ts';
import { cleanTarPath } from '../archives/tarIndex.ts';
import type { DockerArchiveItem } from '../documents/dockerArchiveIndex.ts';
import { type ImageConfig, readImageConfig } from '../documents/imageConfig.ts';
import { DOCUMENT_LIMIT } from '../documents/limits.ts';
import { DOCKER_CONFIG, DOCKER_LAYER } from '../documents/mediaTypes.ts';
import { dockerManifest } from './dockerManifest.ts';
import type { ImageDocument, LayerSource, OpenedImage } from './imageSource.ts';
import { measureLayer } from './measureLayer.ts';

type RangeLayer = LayerSource & { readonly blob: BlobRange };

export interface DockerArchiveImageRequest {
  readonly archive: TarArchive;
  readonly item: DockerArchiveItem;
  readonly position: number;
  readonly signal: AbortSignal | undefined;
}

/** Reads the config of an item and finds its layers. */
export async function openDockerArchiveImage(request: DockerArchiveImageRequest): Promise<OpenedImage> {
  const { config, parsed } = await readConfig(request);
  const layers = findLayers(request, parsed);
  const { created, platform } = parsed;
  return {
    config,
    ...(created === undefined ? {} : { created }),
    ...(platform === undefined ? {} : { platform }),
    layers,
    signatures: [],
    manifest: async (diffSizes = []) => {
      const sizes: number[] = [];
      for (const [i, layer] of layers.entries()) {
        sizes.push(
          diffSizes[i] ?? (await uncompressedSize(layer, `layer ${i} of ${nameOf(request)}`, request.signal)),
        );
      }
      return dockerManifest(
        config,
        layers.map(({ diffID }, i) => ({ diffID, size: sizes[i] as number })),
      );
    },
  };
}

function nameOf({ archive, position }: DockerArchiveImageRequest): string {
  return `image @${position} of ${archive.location}`;
}

async function readConfig(request: DockerArchiveImageRequest) {
  const { archive, item } = request;
  const path = archive.location;
  const what = `config ${item.config} of ${nameOf(request)}`;
  const blob = archive.range(item.config, 'first');
  if (blob === undefined) {
    throw missing(request, item.config, `${what}: loading tar component ${item.config}: file does not exist`);
  }
  const bytes = await readDocumentBytes({ blob, limit: DOCUMENT_LIMIT, what, path });
  const parsed = readImageConfig({ bytes, what, path });
  const config: ImageDocument = { mediaType: DOCKER_CONFIG, digest: digestOf(bytes), bytes };
  if (parsed.hasRootfs) return { config, parsed };
  throw new StorageError('IMAGE_CONFIG_INVALID', `${what}: Invalid image config (rootFS is not set)`, {
    object: item.config,
    path,
    hint: 'the file is no image config: make the archive anew',
  });
}

/** A DiffID that occurs twice is read from its first path; a path cannot have two DiffIDs. */
function findLayers(request: DockerArchiveImageRequest, { diffIDs }: ImageConfig): RangeLayer[] {
  const { archive, item } = request;
  checkLayerCount(request, diffIDs.length);
  const pathByDiffID = new Map<Digest, string>();
  const diffIDByPath = new Map<string, Digest>();
  return diffIDs.map((diffID, i) => {
    const path = pathByDiffID.get(diffID) ?? cleanTarPath(item.layers[i] as string);
    pathByDiffID.set(diffID, path);
    const other = diffIDByPath.get(path) ?? diffID;
    diffIDByPath.set(path, diffID);
    if (other !== diffID) throw contradiction(request, path, [other, diffID]);
    const blob = archive.range(path, 'first');
    if (blob === undefined) {
      const what = `layer ${i} of ${nameOf(request)}`;
      throw missing(request, path, `${what}: Some layer tarfiles are missing in the tarball`);
    }
    return {
      mediaType: DOCKER_LAYER,
      size: blob.length,
      diffID,
      addressedByDiffID: true,
      blob,
      open: openRange(blob, `layer ${i} of ${nameOf(request)}`),
    };
  });
}

function checkLayerCount(request: DockerArchiveImageRequest, expected: number): void {
  const { archive, item } = request;
  if (item.layers.length === expected) return;
  throw new StorageError(
    'IMAGE_CONFIG_INVALID',
    `${nameOf(request)}: Inconsistent layer count: ${item.layers.length} in manifest, ${expected} in config`,
    {
      object: item.config,
      path: archive.location,
      expected,
      actual: item.layers.length,
      hint: 'manifest.json and config do not belong together: make the archive anew',
    },
  );
}

async function uncompressedSize({ blob }: RangeLayer, what: string, signal?: AbortSignal): Promise<number> {
  if (detectCompression(await readHead(blob)) === 'none') return blob.length;
  return (await measureLayer(blob, what, signal)).diffSize;
}

function missing({ archive }: DockerArchiveImageRequest, entry: string, what: string): StorageError {
  return new StorageError('BLOB_MISSING', `${what}: ${JSON.stringify(entry)} is missing in the archive`, {
    object: entry,
    path: archive.location,
    hint: 'the archive is incomplete: save the image again',
  });
}

function contradiction(
  { archive }: DockerArchiveImageRequest,
  entry: string,
  [expected, actual]: readonly [Digest, Digest],
): StorageError {
  return new StorageError(
    'ARCHIVE_INVALID',
    `${archive.location}: ${JSON.stringify(entry)} is said to be two layers, ${expected} and ${actual}`,
    {
      object: entry,
      path: archive.location,
      expected,
      actual,
      hint: 'the archive contradicts itself: save the image again',
    },
  );
}
