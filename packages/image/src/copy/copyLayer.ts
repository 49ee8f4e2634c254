import { verified } from '@sediment/codec';
import { type Digest, isStorageError } from '@sediment/core';
import type { OpenBytes } from '@sediment/storage';
import type { StoredBlob } from '../destinations/imageDestination.ts';
import { convertLayerType, type LayerCompression } from '../documents/layerType.ts';
import { isDockerType } from '../documents/mediaTypes.ts';
import type { NamedBlob } from '../documents/writeManifest.ts';
import { compressionOf } from '../sources/compressionOf.ts';
import type { LayerSource } from '../sources/imageSource.ts';
import type { CopiedAs, CopiedBlob } from './copyEvents.ts';
import { type BlobPlace, type CopySession, once, reporting } from './copySession.ts';
import { diffIDMismatch, openInForm } from './layerBytes.ts';
import { isKnownPlain, isMadeAnew, type LayerPlan } from './planLayers.ts';
import type { Turn } from './turns.ts';

/** A layer at the destination, and how a manifest names it there. */
export interface CopiedLayer {
  readonly blob: CopiedBlob;
  readonly named: NamedBlob;
}

export interface LayerRequest {
  readonly session: CopySession;
  readonly layer: LayerPlan;
  readonly place: BlobPlace;
  readonly manifestType: string;
  readonly signal: AbortSignal;
  /** To hand the layer in: an archive has its layers in the order of the image, whichever was looked at first. */
  readonly turn: Turn;
}

/**
 * Copies a layer as planned. One whose blob is damaged is made anew, if the source can, and if the digest of the blob may
 * change or is of no account.
 */
export async function copyLayer(request: LayerRequest): Promise<CopiedLayer> {
  const { session, layer, place } = request;
  const { onProgress, onWarning, preserveDigests } = session.plan;
  let copied: CopiedLayer;
  try {
    copied = await copyPlanned(request);
  } catch (error) {
    const { rebuild, digest } = layer.source;
    const isBlob = layer.compression === undefined;
    if (rebuild === undefined || (isBlob && preserveDigests === true) || !isDamage(error)) throw error;
    onWarning?.({
      code: 'KEPT_BLOB_DAMAGED',
      message: `${place.what} is made anew, as the blob that was kept of it is damaged: ${error.message}`,
      object: digest as string,
    });
    copied = await copyRebuilt(request, rebuild);
  }
  const { image, index } = place;
  onProgress?.({ type: 'layer-done', image, index, ...copied.blob });
  return copied;
}

const DAMAGE: ReadonlySet<string> = new Set([
  'COMPRESSION_INVALID',
  'DIFF_ID_MISMATCH',
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'TAR_TRUNCATED',
]);

function isDamage(error: unknown): error is Error {
  return isStorageError(error) && DAMAGE.has(error.code);
}

async function copyPlanned(request: LayerRequest): Promise<CopiedLayer> {
  const { layer } = request;
  return layer.compression === undefined
    ? await copyBytes(request)
    : await copyAnew(request, { ...layer, compression: layer.compression });
}

/** The damage may be in the first bytes, which say how the blob is compressed: what the type says counts. */
async function copyRebuilt(
  request: LayerRequest,
  rebuild: NonNullable<LayerSource['rebuild']>,
): Promise<CopiedLayer> {
  const { layer, manifestType } = request;
  const isZstd = layer.mediaType.endsWith('zstd') && !isDockerType(manifestType);
  const compression = layer.compression ?? (isZstd ? 'zstd' : 'gzip');
  const { digest: _, size: __, blob: ___, ...source } = layer.source;
  return await copyAnew(request, {
    ...layer,
    source: { ...source, size: layer.source.diffSize ?? layer.source.size, open: rebuild, rebuild },
    mediaType: convertLayerType(layer.mediaType, manifestType, compression),
    compression,
  });
}

async function copyBytes({ session, layer, place, signal, turn }: LayerRequest): Promise<CopiedLayer> {
  const { source, named, mediaType } = layer;
  const digest = source.digest as Digest;
  const { size } = source;
  const blob = await once(session, digest, async () => {
    if ((await session.destination.blobSize(digest)) === size) return { digest, size, copied: 'present' };
    const open = reporting(source.open, place, session.plan.onProgress);
    const stored = await put(session, place, { source, open, digest, size, signal, turn });
    return { ...stored, copied: 'bytes' };
  });
  const { urls = [], annotations = source.annotations ?? {} } = named ?? {};
  return { blob, named: { mediaType, digest, size, urls, annotations } };
}

type WrittenAnew = LayerPlan & { readonly compression: LayerCompression };

async function copyAnew(
  { session, place, signal, turn }: LayerRequest,
  { source, named, mediaType, compression }: WrittenAnew,
): Promise<CopiedLayer> {
  const { destination, plan } = session;
  const { diffID } = source;
  const level = compression === plan.compression ? plan.compressionLevel : undefined;
  const blob = await once(session, `${diffID} ${compression} ${level}`, async () => {
    const staysTar = compression === 'none';
    const present = staysTar ? await destination.blobSize(diffID) : undefined;
    if (present !== undefined) return { digest: diffID, size: present, copied: 'present' };
    const copied = await howCopied(source, compression, signal);
    const size = copied === 'bytes' ? source.size : source.diffSize;
    const form = {
      compression,
      isPlain: isKnownPlain(source),
      what: place.what,
      ...(staysTar ? {} : { diffID }),
      ...(level === undefined ? {} : { level }),
    };
    const stored = await put(session, place, {
      source,
      open: openInForm(reporting(verifiedBlob(source, place), place, plan.onProgress), form),
      ...(staysTar ? { digest: diffID } : {}),
      ...(staysTar && size !== undefined ? { size } : {}),
      signal,
      turn,
    }).catch((error: unknown) => {
      // Of a tar that stays one the destination verifies the DiffID, as its digest.
      const isOther = isStorageError(error, 'DIGEST_MISMATCH') && error.facts.expected === diffID;
      throw isOther
        ? diffIDMismatch({ what: place.what, diffID, actual: String(error.facts.actual) })
        : error;
    });
    return { ...stored, copied };
  });
  const { digest, size } = blob;
  const annotations = ofTheTar(named?.annotations ?? source.annotations ?? {});
  return { blob, named: { mediaType, digest, size, annotations } };
}

async function howCopied(
  source: LayerSource,
  compression: LayerCompression,
  signal: AbortSignal,
): Promise<CopiedAs> {
  if (isMadeAnew(source)) return 'rebuilt';
  if (compression !== 'none') return 'recompressed';
  return (await compressionOf(source, signal)) === 'none' ? 'bytes' : 'decompressed';
}

/** The DiffID alone tells nothing of a config that names none, and was given those of the blobs. */
function verifiedBlob({ digest, diffID, size, open }: LayerSource, { what }: BlobPlace): OpenBytes {
  return digest === undefined || digest === diffID
    ? open
    : (signal) => verified(open(signal), { digest, size, what });
}

/** Annotations that describe the bytes of a blob, such as where zstd:chunked has its table of contents. */
const OF_BLOBS =
  /^(?:io\.github\.containers\.zstd-chunked\.|io\.containers\.zstd-chunked\.|containerd\.io\/snapshot\/stargz\/|io\.containers\.estargz\.)/;

function ofTheTar(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !OF_BLOBS.test(key)));
}

interface BlobToPut {
  readonly source: LayerSource;
  readonly open: OpenBytes;
  readonly digest?: Digest;
  readonly size?: number;
  readonly signal: AbortSignal;
  readonly turn: Turn;
}

async function put(
  { destination, plan }: CopySession,
  place: BlobPlace,
  { source, turn, ...blob }: BlobToPut,
): Promise<StoredBlob> {
  const { image, index, what } = place;
  await turn.come;
  plan.onProgress?.({ type: 'layer-start', image, index, size: source.size });
  const stored = destination.putBlob({ what, kind: 'layer', ...blob });
  turn.done();
  return await stored;
}
