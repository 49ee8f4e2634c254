import { StorageError } from '@sediment/core';
import { normalizeLocalName, normalizeName } from '../references/imageName.ts';
import type { ImageSelector } from '../references/imageSelector.ts';
import type { ImageSource, SourceImage } from './imageSource.ts';

export interface ImageChoice {
  readonly select?: ImageSelector;
  /** Every image of the source. */
  readonly all?: boolean;
}

/**
 * Chooses among the images of a source. Without a choice it must hold exactly one.
 *
 * A name is compared as written, then completed by Docker's rule, then by podman's; the first
 * comparison that finds an image counts.
 *
 * @throws {StorageError} `IMAGE_AMBIGUOUS`, `IMAGE_NOT_IN_SOURCE`; both list what there is
 */
export function chooseImages(
  source: ImageSource,
  { select, all = false }: ImageChoice = {},
): readonly SourceImage[] {
  const { images, location } = source;
  if (select !== undefined)
    return ['index' in select ? byPosition(source, select.index) : byName(source, select.name)];
  if (images.length === 0) {
    throw new StorageError('IMAGE_NOT_IN_SOURCE', `${location} holds no image`, {
      path: location,
      hint: 'its list of images is empty: make it anew',
    });
  }
  if (all || images.length === 1) return images;
  const upstream =
    source.transport === 'docker-archive'
      ? `Unexpected tar manifest.json: expected 1 item, got ${images.length}`
      : 'more than one image in oci, choose an image';
  throw ambiguous(
    source,
    images,
    `${location} holds ${images.length} images and none was chosen (${upstream})`,
  );
}

function byPosition(source: ImageSource, position: number): SourceImage {
  const found = source.images.find(({ positions }) => positions.includes(position));
  if (found !== undefined) return found;
  const count = source.images.reduce((sum, { positions }) => sum + positions.length, 0);
  const message = `${source.location}: Invalid source index @${position}, only ${count} manifest items available`;
  throw notFound(source, `@${position}`, message);
}

function byName(source: ImageSource, name: string): SourceImage {
  const comparisons = [
    ({ names, aliases }: SourceImage) => names.includes(name) || aliases.includes(name),
    ({ names }: SourceImage) => names.some((other) => sameAfter(normalizeName, name, other)),
    ({ names }: SourceImage) => names.some((other) => sameAfter(normalizeLocalName, name, other)),
  ];
  for (const matches of comparisons) {
    const found = source.images.filter(matches);
    if (found.length > 1)
      throw ambiguous(source, found, `${source.location}: ${name} means ${found.length} images`);
    if (found[0] !== undefined) return found[0];
  }
  const text = JSON.stringify(name);
  const upstream =
    source.transport === 'docker-archive'
      ? `Tag ${text} not found`
      : `no descriptor found for reference ${text}`;
  throw notFound(source, name, `no image ${text} found in ${source.location}: ${upstream}`);
}

/** Names of an archive may be no valid references; such a name only equals itself. */
function sameAfter(normalize: (name: string) => string, a: string, b: string): boolean {
  const attempt = (name: string) => {
    try {
      return normalize(name);
    } catch (error) {
      if (error instanceof StorageError && error.code === 'REFERENCE_INVALID') return undefined;
      throw error;
    }
  };
  const normal = attempt(a);
  return normal !== undefined && normal === attempt(b);
}

const LISTED = 20;

function listing(images: readonly SourceImage[]): string {
  const lines = images.slice(0, LISTED).map(({ positions, names, digest }) => {
    return `@${positions[0]} ${names.join(', ') || digest || '(no name)'}`;
  });
  if (images.length > LISTED) lines.push(`and ${images.length - LISTED} more`);
  return lines.join('; ');
}

function ambiguous({ location }: ImageSource, images: readonly SourceImage[], message: string): StorageError {
  return new StorageError('IMAGE_AMBIGUOUS', `${message}: ${listing(images)}`, {
    path: location,
    hint: 'choose one by its name or with @N, or take all of them with "sediment import --all"',
  });
}

function notFound({ location, images }: ImageSource, object: string, message: string): StorageError {
  return new StorageError('IMAGE_NOT_IN_SOURCE', message, {
    object,
    path: location,
    hint: images.length === 0 ? 'the source holds no image' : `it holds ${listing(images)}`,
  });
}
