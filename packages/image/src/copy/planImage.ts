import { StorageError } from '@sediment/core';
import type { DestinationLimits } from '../destinations/imageDestination.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, isDockerType, OCI_MANIFEST } from '../documents/mediaTypes.ts';
import { dockerManifest } from '../sources/dockerManifest.ts';
import type { OpenedImage } from '../sources/imageSource.ts';
import type { SourceManifest } from '../sources/sourceManifest.ts';
import type { CopyPlan } from './copyOptions.ts';
import { isUnchanged, type LayerPlan, planLayers } from './planLayers.ts';

/** A type of manifest that we write. */
export type ManifestType = typeof OCI_MANIFEST | typeof DOCKER_MANIFEST;

export interface ImagePlan {
  readonly manifestType: ManifestType;
  readonly layers: readonly LayerPlan[];
  /** Whether the destination holds plain layers, and no manifest. */
  readonly isPlain: boolean;
  /** Whether the image has the same manifest at the destination, if all goes as planned. */
  readonly keepsManifest: boolean;
}

export interface PlanRequest {
  readonly plan: CopyPlan;
  readonly opened: OpenedImage;
  /** Absent: the source has none. */
  readonly manifest: SourceManifest | undefined;
  readonly destination: { readonly transport: string; readonly limits: DestinationLimits };
}

/**
 * Decides what changes on the way, before anything is written. Nothing does if the destination can hold manifest and
 * layers as they are and no option says otherwise.
 *
 * @throws {StorageError} `NOT_SUPPORTED`: an option that the destination cannot satisfy, or a layer that the wanted
 *   manifest cannot name; `DIGESTS_NOT_PRESERVED`
 */
export async function planImage(request: PlanRequest): Promise<ImagePlan> {
  checkOptions(request);
  const planned = await choosePlan(request);
  if (request.plan.preserveDigests !== true || planned.keepsManifest) return planned;
  throw notPreserved(request, planned);
}

/** Says what it is that would change. */
function notPreserved({ plan, destination }: PlanRequest, { layers, isPlain }: ImagePlan): StorageError {
  const { transport } = destination;
  const changed = layers.findIndex((layer) => !isUnchanged(layer));
  const hint =
    'leave out --preserve-digests, or copy to oci, oci-archive or dir; a store has the layers as they came if the image was imported with --keep-blobs';
  if (isPlain || changed === -1) {
    const form = plan.format === undefined ? `what ${transport} holds` : `the format ${plan.format}`;
    return new StorageError(
      'DIGESTS_NOT_PRESERVED',
      `the manifest would have to be another one for ${form}, but digests are to be preserved`,
      { object: transport, hint },
    );
  }
  const digest = layers[changed]?.named?.digest;
  return new StorageError(
    'DIGESTS_NOT_PRESERVED',
    `layer ${changed} (${digest}) would be written anew, but digests are to be preserved`,
    { ...(digest === undefined ? {} : { object: digest }), hint },
  );
}

async function choosePlan(request: PlanRequest): Promise<ImagePlan> {
  const { plan, opened, manifest, destination } = request;
  const { limits, transport } = destination;
  if (limits.layers === 'plain') return await planPlain(request);
  const own = manifest?.content === undefined ? undefined : (manifest.document.mediaType as ManifestType);
  const preferred = limits.manifestTypes.find(isWritten) ?? OCI_MANIFEST;
  const asked = plan.format === undefined ? undefined : FORMATS[plan.format];
  const native = own ?? (isDockerType(opened.config.mediaType) ? DOCKER_MANIFEST : OCI_MANIFEST);
  // Docker has no name for layers in zstd.
  const canStay =
    limits.manifestTypes.includes(native) && !(plan.compression === 'zstd' && isDockerType(native));
  const type = asked ?? (canStay ? native : preferred);
  const planFor = (manifestType: ManifestType) =>
    planLayers({ plan, opened, manifest, manifestType, keepsPlain: transport === 'dir' });
  const layers = await planFor(type);
  if (type === own && layers.every(isUnchanged))
    return { manifestType: type, layers, isPlain: false, keepsManifest: true };
  // What is written anew gets the form of the destination. A plain directory has none.
  if (type === preferred || asked !== undefined || transport === 'dir') {
    return { manifestType: type, layers, isPlain: false, keepsManifest: false };
  }
  return { manifestType: preferred, layers: await planFor(preferred), isPlain: false, keepsManifest: false };
}

/** A docker-archive has no manifest; readers make one, and it may be the one that the image has. */
async function planPlain({ plan, opened, manifest }: PlanRequest): Promise<ImagePlan> {
  const { config, layers } = opened;
  const planned = layers.map((source, i): LayerPlan => {
    const named = manifest?.content?.layers[i];
    const isPlain = source.digest === source.diffID;
    return { source, named, mediaType: source.mediaType, ...(isPlain ? {} : { compression: 'none' }) };
  });
  const sizes = planned.map(({ named, source }) =>
    named?.digest === source.diffID ? named.size : undefined,
  );
  const made =
    plan.preserveDigests === true && sizes.every((size) => size !== undefined)
      ? dockerManifest(
          { ...config, mediaType: DOCKER_CONFIG },
          layers.map(({ diffID }, i) => ({ diffID, size: sizes[i] as number })),
        )
      : undefined;
  const keepsManifest = made !== undefined && made.digest === manifest?.document.digest;
  return { manifestType: DOCKER_MANIFEST, layers: planned, isPlain: true, keepsManifest };
}

const FORMATS = { oci: OCI_MANIFEST, v2s2: DOCKER_MANIFEST } as const;

function isWritten(type: string): type is ManifestType {
  return type === OCI_MANIFEST || type === DOCKER_MANIFEST;
}

function checkOptions({ plan, destination: { transport, limits } }: PlanRequest): void {
  const { format, compression } = plan;
  if (format !== undefined && !limits.manifestTypes.includes(FORMATS[format])) {
    throw new StorageError('NOT_SUPPORTED', `${transport} does not hold manifests of the format ${format}`, {
      object: format,
      hint: 'leave the format out, or choose another destination',
    });
  }
  if (limits.layers === 'plain' && compression !== undefined && compression !== 'none') {
    throw new StorageError('NOT_SUPPORTED', `${transport} holds uncompressed layers only`, {
      object: compression,
      hint: 'leave the compression out, or choose another destination, such as oci-archive',
    });
  }
}
