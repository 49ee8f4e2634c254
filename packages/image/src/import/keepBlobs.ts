import { StorageError, type WarningHandler } from '@sediment/core';
import type { Blobs, KeepImageRequest, LayerInfo } from '@sediment/storage';
import type { BlobDescriptor } from '../documents/descriptor.ts';
import { compressionOf } from '../sources/compressionOf.ts';
import type {
  ImageDocument,
  OpenedImage,
  OpenedIndex,
  SourceBlob,
  SourceImage,
} from '../sources/imageSource.ts';
import { readWhole } from '../sources/readWhole.ts';
import { readSourceManifest } from '../sources/sourceManifest.ts';
import type { ImportPlan } from './importOptions.ts';

/** The part of a store that keeps blobs. */
export type KeptBlobs = Pick<Blobs, 'put' | 'keepImage' | 'policy'>;

/** What of an image is to be kept, and where. */
export interface KeepPlan {
  readonly blobs: KeptBlobs;
  /** The index whose platforms are all kept. */
  readonly index?: OpenedIndex;
  /** Of the image's entry in the source. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KeepQuestion {
  readonly blobs: KeptBlobs | undefined;
  readonly plan: ImportPlan;
  readonly image: SourceImage;
  readonly opened: OpenedImage;
  /** Of the source, for messages. */
  readonly location: string;
}

/**
 * Decides whether the blobs of an image are kept: if that is asked for, or if the store does so with all. Undefined if not.
 *
 * @throws {StorageError} `NOT_SUPPORTED` when they are asked for but cannot be kept
 */
export async function planKeeping(question: KeepQuestion): Promise<KeepPlan | undefined> {
  const { blobs, plan, image, opened } = question;
  const asked = plan.keepBlobs;
  if (blobs === undefined) {
    if (asked === true) throw new TypeError('option "keepBlobs" needs a store that keeps blobs');
    return undefined;
  }
  const keeps = asked ?? keepsAll(await blobs.policy());
  if (keeps) {
    const reason = await whyNotKeepable(opened, question.location);
    if (reason === undefined) return await keepPlan(blobs, question);
    refuse({ asked: asked === true || plan.allPlatforms === true, reason, onWarning: plan.onWarning });
    return undefined;
  }
  if (plan.allPlatforms !== true || (await image.openIndex?.()) === undefined) return undefined;
  throw new StorageError(
    'NOT_SUPPORTED',
    'a store holds all platforms of an index only if it keeps the blobs',
    {
      hint: 'import with --keep-blobs, too',
    },
  );
}

function keepsAll(policy: Awaited<ReturnType<Blobs['policy']>>): boolean {
  return policy === 'all' || policy === 'until-export';
}

async function keepPlan(blobs: KeptBlobs, { plan, image }: KeepQuestion): Promise<KeepPlan> {
  const { signal } = plan;
  const index =
    plan.allPlatforms === true ? await image.openIndex?.(signal === undefined ? {} : { signal }) : undefined;
  return {
    blobs,
    ...(index === undefined ? {} : { index }),
    ...(image.annotations === undefined ? {} : { annotations: image.annotations }),
  };
}

/** A docker-archive gets a manifest that names the plain layers, and these can always be had. */
async function whyNotKeepable(opened: OpenedImage, location: string): Promise<string | undefined> {
  if (opened.layers.some(({ addressedByDiffID }) => addressedByDiffID)) return undefined;
  const { content } = await readSourceManifest(opened, location);
  if (content === undefined) return 'no image layout can hold a manifest of Docker schema 1';
  const missing = content.layers.find(({ digest }, i) => opened.layers[i]?.digest !== digest);
  return missing === undefined
    ? undefined
    : `${location} has not the blob ${missing.digest} that the manifest names, but what is in it`;
}

interface Refusal {
  readonly asked: boolean;
  readonly reason: string;
  readonly onWarning: WarningHandler | undefined;
}

function refuse({ asked, reason, onWarning }: Refusal): void {
  const message = `the blobs of the image cannot be kept: ${reason}`;
  if (!asked) {
    onWarning?.({ code: 'BLOBS_NOT_KEPT', message });
    return;
  }
  throw new StorageError('NOT_SUPPORTED', message, { hint: 'import the image without --keep-blobs' });
}

export interface KeptImageParts {
  readonly keep: KeepPlan;
  readonly opened: OpenedImage;
  readonly manifest: ImageDocument;
  /** As they were added to the store, which has put their blobs. */
  readonly infos: readonly LayerInfo[];
  readonly location: string;
  readonly signal: AbortSignal | undefined;
  /** Told of each blob of another platform. */
  readonly onBlob: (blob: SourceBlob) => void;
}

/**
 * What makes an image the owner of its blobs, once it is recorded and has an id. Blobs of other platforms are put here;
 * those of the layers were put while they were unpacked.
 */
export async function keepRequest(parts: KeptImageParts): Promise<Omit<KeepImageRequest, 'imageId'>> {
  const { keep, opened, manifest } = parts;
  const { annotations } = keep;
  const index = keep.index?.document ?? opened.index;
  return {
    manifest,
    config: opened.config,
    layers: await keptLayers(parts),
    ...(index === undefined ? {} : { index }),
    ...(keep.index === undefined ? {} : { instances: await putPlatforms(parts, keep.index) }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** Of a docker-archive the plain tars are the blobs, in whatever form they lie there. */
async function keptLayers({
  opened,
  manifest,
  infos,
  location,
  signal,
}: KeptImageParts): Promise<KeepImageRequest['layers']> {
  const { content } = await readSourceManifest({ ...opened, manifest: async () => manifest }, location);
  const named = content?.layers ?? [];
  return await Promise.all(
    opened.layers.map(async (source, i) => {
      const { digest, size, mediaType } = named[i] as BlobDescriptor;
      const diffSize = infos[i]?.diffSize;
      return {
        digest,
        size,
        mediaType,
        diffID: source.diffID,
        ...(diffSize === undefined ? {} : { diffSize }),
        compression: source.addressedByDiffID ? ('none' as const) : await compressionOf(source, signal),
      };
    }),
  );
}

/** Returns the documents of the other platforms. */
async function putPlatforms(
  { keep, manifest, signal, onBlob }: KeptImageParts,
  index: OpenedIndex,
): Promise<readonly ImageDocument[]> {
  const { instances, blobs } = await readWhole(index);
  for (const blob of blobs) {
    const { digest, size, mediaType, open } = blob;
    await keep.blobs.put(open(signal), {
      digest,
      size,
      mediaType,
      ...(signal === undefined ? {} : { signal }),
    });
    onBlob(blob);
  }
  return instances.map(({ document }) => document).filter(({ digest }) => digest !== manifest.digest);
}
