import { type Descriptor, type Digest, isDigest, StorageError } from '@sediment/core';
import type { ImageInfo, LayerInfo, OpenBytes } from '@sediment/storage';
import { abortedError } from '../../archives/throwIfAborted.ts';
import { isDockerType } from '../../documents/mediaTypes.ts';
import type { LayerSource } from '../imageSource.ts';
import { findKept } from './keptIndex.ts';
import type { SourceStore } from './sourceStore.ts';
import { nameOfImage } from './storeDocuments.ts';

const OCI_TAR = 'application/vnd.oci.image.layer.v1.tar';
const DOCKER_TAR = 'application/vnd.docker.image.rootfs.diff.tar';

/** Annotations that tell of the compressed form of a layer (zstd:chunked, eStargz), and are wrong for its tar. */
const OF_COMPRESSED =
  /^(?:io\.github\.containers\.zstd-chunked\.|containerd\.io\/snapshot\/stargz\/|io\.containers\.estargz\.)/;

export interface StoreLayersRequest {
  readonly store: SourceStore;
  readonly image: ImageInfo;
  /** Of the manifest that names the layers. */
  readonly mediaType: string;
  /** The layers as the manifest has them, base first; without a digest where it names none of its own. */
  readonly descriptors: readonly (Descriptor | undefined)[];
  /** The layers in the store, as {@link readChain} gives them. */
  readonly chain: readonly LayerInfo[];
  /** As the config has them; may be empty. */
  readonly diffIDs: readonly Digest[];
}

/** The layers of an image in the store, base first. */
export async function readChain(store: SourceStore, image: ImageInfo): Promise<readonly LayerInfo[]> {
  const chain: LayerInfo[] = [];
  for (let id = image.layer; id !== undefined && id !== ''; ) {
    const layer = await store.layers.get(id);
    chain.push(layer);
    id = layer.parent;
  }
  return chain.reverse();
}

/**
 * Where the bytes of an image's layers are: kept blobs where there are, else the tars, made again.
 *
 * @throws {StorageError} `MANIFEST_INVALID` when manifest and store have another number of layers, `DIFF_ID_MISMATCH`
 *   when they do not agree what a layer is; both name the image
 */
export async function storeLayers(request: StoreLayersRequest): Promise<readonly LayerSource[]> {
  const { image, descriptors, chain } = request;
  if (descriptors.length !== chain.length) {
    throw new StorageError(
      'MANIFEST_INVALID',
      `${nameOfImage(image)}: its manifest has ${descriptors.length} layers, the store has ${chain.length}`,
      {
        object: image.id,
        path: request.store.graphRoot,
        expected: descriptors.length,
        actual: chain.length,
        hint: 'the record of the image is damaged: remove the image and import it again',
      },
    );
  }
  return await Promise.all(chain.map(async (layer, i) => await layerSource(request, layer, i)));
}

async function layerSource(
  request: StoreLayersRequest,
  layer: LayerInfo,
  index: number,
): Promise<LayerSource> {
  const { store, descriptors, mediaType } = request;
  const diffID = diffIDOf(request, layer, index);
  const rebuild = rebuildLayer(store, layer.id);
  const descriptor = descriptors[index];
  const kept = descriptor === undefined ? undefined : await findKept(store, descriptor.digest);
  const facts = {
    diffID,
    ...(layer.diffSize === undefined ? {} : { diffSize: layer.diffSize }),
    addressedByDiffID: false,
  };
  if (descriptor !== undefined && kept?.size === descriptor.size) {
    const { digest, size, annotations } = descriptor;
    return {
      ...facts,
      mediaType: descriptor.mediaType,
      digest,
      size,
      ...(annotations === undefined ? {} : { annotations }),
      blob: kept.range,
      open: kept.open,
      rebuild,
    };
  }
  const annotations = annotationsOfTar(descriptor?.annotations);
  return {
    ...facts,
    mediaType: isDockerType(mediaType) ? DOCKER_TAR : OCI_TAR,
    digest: diffID,
    size: layer.diffSize ?? (await lengthOf(rebuild)),
    ...(annotations === undefined ? {} : { annotations }),
    open: rebuild,
  };
}

/** A store that pulled a layer in parts may not have its DiffID; its own expectation is in a flag, or in the config. */
function diffIDOf({ image, store, diffIDs }: StoreLayersRequest, layer: LayerInfo, index: number): Digest {
  const expected = layer.flags['expected-layer-diffid'];
  const own = layer.diffID ?? (isDigest(expected) ? expected : undefined);
  const named = diffIDs[index];
  const diffID = own ?? named;
  if (diffID === undefined) {
    throw new StorageError(
      'DIGEST_UNKNOWN',
      `layer ${index} (${layer.id}) of ${nameOfImage(image)} has no DiffID`,
      {
        object: layer.id,
        path: store.graphRoot,
        hint: 'the layer was not made from an archive: commit it to an image with buildah or podman',
      },
    );
  }
  if (named === undefined || named === diffID) return diffID;
  throw new StorageError(
    'DIFF_ID_MISMATCH',
    `layer ${index} (${layer.id}) of ${nameOfImage(image)}: it does not match config's DiffID ${named}`,
    {
      object: layer.id,
      path: store.graphRoot,
      expected: named,
      actual: diffID,
      hint: 'an older program stored the image without checking it: remove it and import or pull it again',
    },
  );
}

function annotationsOfTar(annotations: Readonly<Record<string, string>> | undefined) {
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !OF_COMPRESSED.test(key));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** The tar that filled a layer, made again as it is read. */
function rebuildLayer({ layers }: SourceStore, id: string): OpenBytes {
  return async function* read(signal) {
    try {
      await using diff = await layers.diff(id, {
        compression: 'none',
        reuseChunks: true,
        ...(signal === undefined ? {} : { signal }),
      });
      for await (const chunk of diff) {
        if (signal?.aborted === true) throw abortedError(signal);
        yield chunk;
      }
    } catch (error) {
      throw signal?.aborted === true ? abortedError(signal) : error;
    }
  };
}

async function lengthOf(open: OpenBytes): Promise<number> {
  let length = 0;
  for await (const chunk of open()) length += chunk.length;
  return length;
}
