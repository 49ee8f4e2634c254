import { type Platform, StorageError } from '@sediment/core';
import { identifyManifest, type ManifestIdentity } from '../documents/identifyManifest.ts';
import { type ManifestDescriptor, readImageIndex } from '../documents/imageIndex.ts';
import { type ImageManifest, readImageManifest } from '../documents/imageManifest.ts';
import { isImageConfigType } from '../documents/mediaTypes.ts';
import { type DocumentText, parseJson } from '../documents/parseDocument.ts';
import { chooseInstance } from '../platforms/chooseInstance.ts';
import { hostPlatform } from '../platforms/platform.ts';
import { blobPath } from './blobPath.ts';
import type { ImageDocument, OpenedImage, OpenImageOptions } from './imageSource.ts';
import { readBlobDocument } from './layoutBlobs.ts';
import type { LayoutFiles } from './layoutFiles.ts';
import { readImageContent } from './layoutImageContent.ts';

/** A manifest or an index, read and verified. */
interface ManifestText extends ImageDocument, ManifestIdentity {
  readonly value: unknown;
  readonly document: DocumentText;
}

/** Opens the image that an entry of `index.json` names; from an index, the one for the platform. */
export async function openLayoutImage(
  files: LayoutFiles,
  descriptor: ManifestDescriptor,
  options: OpenImageOptions,
): Promise<OpenedImage> {
  const top = await readManifestText(files, descriptor);
  if (top.kind !== 'index') return await openManifest(files, top, options);
  const { mediaType, document, digest, bytes } = top;
  const manifests = readImageIndex(top.value, document);
  const platform = options.platform ?? hostPlatform();
  const instance = chooseInstance({
    manifests,
    platform,
    mediaType,
    what: document.what,
    path: files.location,
  });
  const chosen = await readManifestText(files, instance);
  return { ...(await openManifest(files, chosen, options)), index: { mediaType, digest, bytes } };
}

/** The platforms among which {@link openLayoutImage} chooses. */
export async function layoutPlatforms(
  files: LayoutFiles,
  descriptor: ManifestDescriptor,
): Promise<readonly Platform[]> {
  const top = await readManifestText(files, descriptor);
  if (top.kind === 'index') {
    const manifests = readImageIndex(top.value, top.document);
    return manifests.flatMap(({ platform }) =>
      platform === undefined || platform.os === 'unknown' ? [] : [platform],
    );
  }
  const { platform } = await openManifest(files, top, {});
  return platform === undefined ? [] : [platform];
}

async function readManifestText(files: LayoutFiles, descriptor: ManifestDescriptor): Promise<ManifestText> {
  const { digest } = descriptor;
  const what = `manifest ${digest} of ${files.location}`;
  const { bytes } = await readBlobDocument(files, descriptor, what);
  const document = { bytes, what, path: files.describe(blobPath(digest)), code: 'MANIFEST_INVALID' } as const;
  const value = parseJson(document);
  return { ...identifyManifest(value, descriptor.mediaType, document), digest, bytes, value, document };
}

async function openManifest(
  files: LayoutFiles,
  text: ManifestText,
  options: OpenImageOptions,
): Promise<OpenedImage> {
  const { mediaType, digest, bytes } = text;
  const manifest = readSingleManifest(text);
  const content = await readImageContent({ files, manifest, what: text.document.what, options });
  return { ...content, manifest: async () => ({ mediaType, digest, bytes }) };
}

function readSingleManifest({ kind, mediaType, value, document }: ManifestText): ImageManifest {
  const { what, path } = document;
  if (kind === 'index') {
    throw new StorageError(
      'MANIFEST_INVALID',
      `${what}: Unexpectedly received a manifest list instead of a manifest for a single image`,
      {
        object: what,
        path,
        hint: 'an index inside an index is not supported: choose one of them with another tool',
      },
    );
  }
  if (kind === 'schema1') {
    throw new StorageError('NOT_SUPPORTED', `${what}: manifests of Docker schema 1 are not supported`, {
      object: what,
      path,
      hint: 'convert the image with "skopeo copy --format v2s2"',
    });
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
