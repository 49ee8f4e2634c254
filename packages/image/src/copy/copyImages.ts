import type { Store } from '@sediment/storage';
import type { SpoolPlace } from '../archives/spoolFile.ts';
import { openImageDestination } from '../destinations/openImageDestination.ts';
import { type ImageReference, parseImageReference } from '../references/imageReference.ts';
import type { ImageSelector } from '../references/imageSelector.ts';
import type { SourceReference } from '../references/sourceReference.ts';
import { withReferencedStore } from '../references/withReferencedStore.ts';
import { chooseImages } from '../sources/chooseImages.ts';
import type { ImageSource } from '../sources/imageSource.ts';
import { openImageSource, resolveSourceReference } from '../sources/openImageSource.ts';
import type { CopiedImage } from './copyEvents.ts';
import { copyInto } from './copyInto.ts';
import { type CopyOptions, type CopyPlan, planCopy } from './copyOptions.ts';
import { copyToStore } from './copyToStore.ts';

/** What to copy from: a reference (`oci-archive:app.tar`, or just a path), or an opened source. */
export type CopyFrom = string | SourceReference | ImageSource;

export interface CopyImageOptions extends CopyOptions {
  /** The store of references to `containers-storage` that name none. */
  readonly store?: Store;
}

/**
 * Copies one image from any place to any other: the one that the reference or `select` chooses, else the only one.
 *
 * What can stay stays: layers, config and manifest are the source's bytes if the destination can hold them and no option
 * says otherwise. All bytes are verified on the way, by digest, and by DiffID where they become others. The image
 * gets the name in the destination's reference and `additionalNames`; without any it keeps its own.
 *
 * @param from an opened source stays open, and its owner closes it
 * @throws {StorageError} as `openImageSource`, `openImageDestination` and `SourceImage.open`; `IMAGE_AMBIGUOUS`,
 *   `IMAGE_NOT_IN_SOURCE`, `REFERENCE_INVALID`, `NOT_SUPPORTED`, `INDEX_UNSUPPORTED`, `SIGNATURES_UNSUPPORTED`,
 *   `DIGESTS_NOT_PRESERVED`, `DIFF_ID_MISMATCH`, `FILE_INTEGRITY`, `COMPRESSION_UNSUPPORTED`, `NO_SPACE`, `ABORTED`; into a
 *   store as `importImage`. Nothing is then visible at the destination.
 */
export async function copyImage(
  from: CopyFrom,
  to: string | ImageReference,
  options: CopyImageOptions = {},
): Promise<CopiedImage> {
  const [copied] = await copyChosen({ from, to, options, all: false });
  return copied as CopiedImage;
}

/**
 * As {@link copyImage}, for all images of the source unless one is chosen. They become visible together; in a store, one
 * after the other.
 *
 * @throws {TypeError} if names are given for several images
 */
export async function copyImages(
  from: CopyFrom,
  to: string | ImageReference,
  options: CopyImageOptions = {},
): Promise<readonly CopiedImage[]> {
  return await copyChosen({ from, to, options, all: true });
}

interface CopyRequest {
  readonly from: CopyFrom;
  readonly to: string | ImageReference;
  readonly options: CopyImageOptions;
  readonly all: boolean;
}

async function copyChosen({ from, to, options, all }: CopyRequest): Promise<readonly CopiedImage[]> {
  const { store, ...rest } = options;
  const target = typeof to === 'string' ? parseImageReference(to, 'destination') : to;
  const finish = (source: ImageSource, chosen?: ImageSelector, ownName?: string) =>
    copyFrom({ source, target, store, plan: planCopy(rest, chosen), all, ownName });
  if (isOpened(from)) return await finish(from);
  const reference = typeof from === 'string' ? resolveSourceReference(from) : from;
  const plan = planCopy(rest);
  const { signal, spoolDirectory = placeBeside(target, store), platform, onWarning } = plan;
  const opening = {
    ...(signal === undefined ? {} : { signal }),
    ...(spoolDirectory === undefined ? {} : { spoolDirectory }),
    ...(platform === undefined ? {} : { platform }),
  };
  if (reference.transport === 'containers-storage') {
    return await withReferencedStore(reference, { store, onWarning }, async (opened) => {
      await using source = await openImageSource(reference, { ...opening, store: opened });
      // With a digest it is no name that an image can be given.
      return await finish(source, undefined, reference.digest === undefined ? reference.name : undefined);
    });
  }
  await using source = await openImageSource(reference, opening);
  return await finish(source, 'select' in reference ? reference.select : undefined);
}

/** What is copied into a store may be staged on its disk; one that the reference describes is not open yet. */
function placeBeside(target: ImageReference, store: Store | undefined): SpoolPlace | undefined {
  const isOwn = target.transport === 'containers-storage' && target.store === undefined;
  return isOwn ? store?.openTemporaryFile.bind(store) : undefined;
}

interface SourceRequest {
  readonly source: ImageSource;
  readonly target: ImageReference;
  readonly store: Store | undefined;
  readonly plan: CopyPlan;
  readonly all: boolean;
  /** The name by which the image was chosen in a store. */
  readonly ownName: string | undefined;
}

async function copyFrom(request: SourceRequest): Promise<readonly CopiedImage[]> {
  const { source, target, store, plan, all, ownName } = request;
  const { select, onWarning } = plan;
  const images = chooseImages(source, select === undefined ? { all } : { select });
  if (target.transport === 'containers-storage') {
    const [image, second] = images;
    if (image === undefined || second !== undefined) throw oneName(source, images.length);
    return await withReferencedStore(target, { store, onWarning }, async (opened) => [
      await copyToStore({ source, image, store: opened, reference: target, plan }),
    ]);
  }
  const given = [...givenName(target), ...plan.additionalNames];
  if (given.length > 0 && images.length > 1) throw oneName(source, images.length);
  const names = given.length > 0 || ownName === undefined ? given : [ownName];
  await using destination = await openImageDestination(target, destinationOptions(plan));
  return await copyInto({
    source,
    images: images.map((image) => ({ image, names })),
    destination,
    plan,
  });
}

/** The name in the reference of a destination. */
export function givenName(target: ImageReference): readonly string[] {
  const select = 'select' in target ? target.select : undefined;
  return select !== undefined && 'name' in select ? [select.name] : [];
}

export function destinationOptions({ overwrite, spoolDirectory, signal }: CopyPlan) {
  return {
    ...(overwrite === undefined ? {} : { overwrite }),
    ...(spoolDirectory === undefined ? {} : { spoolDirectory }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function oneName({ location }: ImageSource, count: number): TypeError {
  return new TypeError(`a name is for one image, but ${location} holds ${count}`);
}

function isOpened(from: CopyFrom): from is ImageSource {
  return typeof from === 'object' && 'images' in from;
}
