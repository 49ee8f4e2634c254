import { type Platform, StorageError } from '@sediment/core';
import { type ImageManifest, readImageManifest } from '../documents/imageManifest.ts';
import { isImageConfigType } from '../documents/mediaTypes.ts';
import { chooseInstance } from '../platforms/chooseInstance.ts';
import { hostPlatform } from '../platforms/platform.ts';
import type { BlobFiles } from './blobFiles.ts';
import { type ImageContent, readImageContent } from './imageContent.ts';
import type { OpenedImage, OpenImageOptions } from './imageSource.ts';
import { leafManifests } from './leafManifests.ts';
import { documentOf, type ManifestText, readManifestText } from './manifestText.ts';
import { readSchema1Content, schema1Facts } from './schema1Content.ts';

/** Opens the image of a manifest; of an index, the one for the platform. */
export async function openManifestImage(
  files: BlobFiles,
  top: ManifestText,
  options: OpenImageOptions,
): Promise<OpenedImage> {
  const chosen = await chooseManifest(files, top, options.platform);
  const opened = await openSingle(files, chosen, options);
  return chosen === top ? opened : { ...opened, index: documentOf(top) };
}

/** The manifest itself; of an index, the one for the platform (default: this host's). */
export async function chooseManifest(
  files: BlobFiles,
  top: ManifestText,
  platform: Platform = hostPlatform(),
): Promise<ManifestText> {
  if (top.kind !== 'index') return top;
  const { mediaType, document } = top;
  const instance = chooseInstance({
    manifests: await leafManifests(files, top),
    platform,
    mediaType,
    what: document.what,
    path: files.location,
  });
  return await readManifestText(files, instance);
}

/** The platforms among which {@link openManifestImage} chooses. */
export async function manifestPlatforms(files: BlobFiles, top: ManifestText): Promise<readonly Platform[]> {
  if (top.kind === 'index') {
    return (await leafManifests(files, top)).flatMap(({ platform }) =>
      platform === undefined || platform.os === 'unknown' ? [] : [platform],
    );
  }
  const { platform } = top.kind === 'schema1' ? schema1Facts(top) : await openSingle(files, top, {});
  return platform === undefined ? [] : [platform];
}

async function openSingle(
  files: BlobFiles,
  text: ManifestText,
  options: OpenImageOptions,
): Promise<OpenedImage> {
  const content = await readContent(files, text, options);
  return { ...content, signatures: text.signatures, manifest: async () => documentOf(text) };
}

async function readContent(
  files: BlobFiles,
  text: ManifestText,
  options: OpenImageOptions,
): Promise<ImageContent> {
  if (text.kind === 'schema1') return await readSchema1Content(files, text, options);
  const manifest = readSingleManifest(text);
  return await readImageContent({ files, manifest, what: text.document.what, options });
}

/** @throws {StorageError} `MANIFEST_INVALID`, `ARTIFACT_UNSUPPORTED` */
export function readSingleManifest({ kind, mediaType, value, document }: ManifestText): ImageManifest {
  const { what, path } = document;
  if (kind === 'index') {
    throw new StorageError(
      'MANIFEST_INVALID',
      `${what}: Unexpectedly received a manifest list instead of a manifest for a single image`,
      { object: what, path, hint: 'its descriptor does not say that it is an index: make the source anew' },
    );
  }
  const manifest = readImageManifest(value, document);
  if (isImageConfigType(manifest.config.mediaType, mediaType)) return manifest;
  const type = manifest.artifactType ?? manifest.config.mediaType;
  throw new StorageError(
    'ARTIFACT_UNSUPPORTED',
    `${what}: unsupported image-specific operation on artifact with type ${JSON.stringify(type)}`,
    {
      object: what,
      path,
      actual: type,
      hint: 'the source holds an artifact, such as a signature, and not an image',
    },
  );
}
