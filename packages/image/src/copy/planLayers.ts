import type { Compression } from '@sediment/core';
import type { BlobDescriptor } from '../documents/descriptor.ts';
import { convertLayerType, type LayerCompression } from '../documents/layerType.ts';
import { isDockerType } from '../documents/mediaTypes.ts';
import { compressionOf } from '../sources/compressionOf.ts';
import type { LayerSource, OpenedImage } from '../sources/imageSource.ts';
import type { SourceManifest } from '../sources/sourceManifest.ts';
import type { CopyPlan } from './copyOptions.ts';

/** What becomes of a layer: its bytes stay as they are, or it is written anew from its tar. */
export interface LayerPlan {
  readonly source: LayerSource;
  /** As the manifest of the source names it; undefined where the source has none. */
  readonly named: BlobDescriptor | undefined;
  /** At the destination. */
  readonly mediaType: string;
  /** Absent: the bytes stay. */
  readonly compression?: LayerCompression;
}

export interface LayersRequest {
  readonly plan: CopyPlan;
  readonly opened: OpenedImage;
  readonly manifest: SourceManifest | undefined;
  /** Type of the manifest that will name the layers. */
  readonly manifestType: string;
  /** Whether layers that come as plain tars stay so, unless another compression is asked for. */
  readonly keepsPlain: boolean;
}

/** @throws {StorageError} `NOT_SUPPORTED` for a layer that the manifest cannot name */
export async function planLayers(request: LayersRequest): Promise<readonly LayerPlan[]> {
  const plans: LayerPlan[] = [];
  for (const [i, source] of request.opened.layers.entries()) {
    const named = request.manifest?.content?.layers[i];
    plans.push({ source, named, ...(await planLayer(request, source, named)) });
  }
  return plans;
}

/** Whether the manifest of the source, with other things unchanged, is true of the layer at the destination. */
export function isUnchanged({ source, named, mediaType, compression }: LayerPlan): boolean {
  if (named === undefined || named.mediaType !== mediaType) return false;
  return compression === undefined || (compression === 'none' && named.digest === source.diffID);
}

type Form = Pick<LayerPlan, 'mediaType' | 'compression'>;

async function planLayer(
  { plan, manifest, manifestType, keepsPlain }: LayersRequest,
  source: LayerSource,
  named: BlobDescriptor | undefined,
): Promise<Form> {
  const { compression: wanted, compressionLevel: level, preserveDigests, signal } = plan;
  const type = named?.mediaType ?? source.mediaType;
  const staysInType = named !== undefined && manifest?.document.mediaType === manifestType;
  const anew = (compression: LayerCompression): Form => ({
    mediaType: convertLayerType(type, manifestType, compression),
    compression,
  });
  if (!hasBytes(source, named)) {
    // The rebuilt tar is the very blob, though its media type may say something else.
    const isBlob = preserveDigests === true && named?.digest === source.diffID;
    if (isBlob && staysInType) return { mediaType: type, compression: 'none' };
    return anew(wanted ?? (keepsPlain ? 'none' : 'gzip'));
  }
  if (wanted === undefined && staysInType) return { mediaType: type };
  const present = await compressionOf(source, signal);
  const fits = wanted === undefined || (wanted === present && level === undefined);
  if (!fits || !canName(manifestType, present)) return anew(wanted ?? 'gzip');
  return { mediaType: staysInType ? type : convertLayerType(type, manifestType, present) };
}

/** Whether the source has the blob that its manifest names, and not just what is in it. */
function hasBytes(source: LayerSource, named: BlobDescriptor | undefined): boolean {
  const { digest } = source;
  return digest !== undefined && !isMadeAnew(source) && (named === undefined || named.digest === digest);
}

/** Whether a store makes the layer from its files, as the tar that it was unpacked from. */
export function isMadeAnew({ digest, diffID, blob }: LayerSource): boolean {
  return blob === undefined && (digest === undefined || digest === diffID);
}

/** Whether the bytes are known to be the uncompressed tar. */
export function isKnownPlain(source: LayerSource): boolean {
  return source.digest === source.diffID || isMadeAnew(source);
}

/** Other compressions are sometimes found in layers, but no media type says so. */
function canName(manifestType: string, compression: Compression): compression is LayerCompression {
  if (compression === 'zstd') return !isDockerType(manifestType);
  return compression === 'none' || compression === 'gzip';
}
