import { digestHex, isStorageError } from '@sediment/core';
import { DOCKER_CONFIG } from '../documents/mediaTypes.ts';
import { writeManifest } from '../documents/writeManifest.ts';
import { dockerManifest } from '../sources/dockerManifest.ts';
import type {
  ImageDocument,
  ImageSource,
  LayerSource,
  OpenedImage,
  OpenedManifest,
  OpenImageOptions,
  SourceImage,
} from '../sources/imageSource.ts';
import { readSourceManifest, type SourceManifest } from '../sources/sourceManifest.ts';
import type { CopiedImage } from './copyEvents.ts';
import { type CopiedLayer, copyLayer } from './copyLayer.ts';
import { type CopySession, throwIfCopyAborted } from './copySession.ts';
import { copyWhole } from './copyWhole.ts';
import { type ImagePlan, planImage } from './planImage.ts';
import { sideBySide } from './sideBySide.ts';
import { signaturesOfChanged, signaturesToCopy } from './signatureRules.ts';
import { type Turn, takeTurns } from './turns.ts';

/** An image that is to be copied. */
export interface ImageToCopy {
  readonly source: ImageSource;
  readonly image: SourceImage;
  /** Names that it gets. */
  readonly names: readonly string[];
  /** Its place among the copied images. */
  readonly position: number;
}

/** Copies one image, or an index with all that it names. It becomes visible with the commit of the destination. */
export async function copyOne(session: CopySession, request: ImageToCopy): Promise<CopiedImage> {
  const { plan } = session;
  throwIfCopyAborted(plan.signal);
  const options = openOptions(session);
  const index = plan.allPlatforms === true ? await request.image.openIndex?.(options) : undefined;
  const copied =
    index === undefined
      ? await copyImageOf(session, request, options)
      : await copyWhole(session, request, index);
  plan.onProgress?.({ type: 'image-done', image: request.position, copied });
  return copied;
}

function openOptions({ plan: { platform, onWarning, signal } }: CopySession): OpenImageOptions {
  return {
    ...(platform === undefined ? {} : { platform }),
    ...(onWarning === undefined ? {} : { onWarning }),
    ...(signal === undefined ? {} : { signal }),
  };
}

async function copyImageOf(
  session: CopySession,
  request: ImageToCopy,
  options: OpenImageOptions,
): Promise<CopiedImage> {
  const { image, source } = request;
  let opened: OpenedImage;
  try {
    opened = await image.open(options);
  } catch (error) {
    const artifact = isStorageError(error, 'ARTIFACT_UNSUPPORTED')
      ? await openAsBytes(session, image, options)
      : undefined;
    if (artifact === undefined) throw error;
    return await copyWhole(session, request, artifact);
  }
  // Of a docker-archive a manifest can be made, but readers of the copy would not see it; making it may cost a reading.
  const isNeeded = source.transport !== 'docker-archive' || session.plan.preserveDigests === true;
  const manifest = isNeeded ? await readSourceManifest(opened, source.location) : undefined;
  if (manifest !== undefined && staysSchema1(session, manifest)) {
    const whole = await openAsBytes(session, image, options);
    if (whole !== undefined) return await copyWhole(session, request, whole);
  }
  return await copyOpened(session, request, { opened, manifest });
}

/** What is no image to us can be copied all the same, to where blobs stay as they are. */
async function openAsBytes(
  { destination }: CopySession,
  image: SourceImage,
  options: OpenImageOptions,
): Promise<OpenedManifest | undefined> {
  if (destination.limits.layers !== 'any') return undefined;
  const whole = await image.openManifest?.(options);
  return whole !== undefined && 'blobs' in whole ? whole : undefined;
}

/** A manifest of schema 1 names layers that no image of today has; so it is copied as a whole, or converted. */
function staysSchema1({ plan, destination }: CopySession, { content, document }: SourceManifest): boolean {
  const isAsked = plan.format !== undefined || plan.compression !== undefined;
  return content === undefined && !isAsked && destination.limits.manifestTypes.includes(document.mediaType);
}

interface OpenedToCopy {
  readonly opened: OpenedImage;
  readonly manifest: SourceManifest | undefined;
}

async function copyOpened(
  session: CopySession,
  request: ImageToCopy,
  { opened, manifest }: OpenedToCopy,
): Promise<CopiedImage> {
  const { destination, plan } = session;
  const { image, names, source } = request;
  const signatures = signaturesToCopy(session, opened.signatures);
  const planned = await planImage({ plan, opened, manifest, destination });
  announce(session, request, opened.layers);
  const layers = await copyLayers(session, request, planned);
  await putConfig(session, opened.config, source.location);
  const document = documentFor({ planned, layers, opened, manifest });
  const isSame = document.digest === manifest?.document.digest;
  await destination.putImage({
    document,
    names,
    signatures: isSame ? signatures : signaturesOfChanged(session, signatures, source.location),
    ...(image.annotations === undefined ? {} : { annotations: image.annotations }),
  });
  return {
    manifestDigest: document.digest,
    ...(manifest === undefined ? {} : { sourceDigest: manifest.document.digest }),
    id: digestHex(opened.config.digest),
    names,
    layers: layers.map(({ blob }) => blob),
  };
}

function announce(
  { plan, total }: CopySession,
  { names, position }: ImageToCopy,
  layers: readonly LayerSource[],
): void {
  plan.onProgress?.({
    type: 'image-start',
    image: position,
    total,
    names,
    layers: layers.map(({ digest, diffID, size }) => ({
      ...(digest === undefined ? {} : { digest }),
      diffID,
      size,
    })),
  });
}

/** How many layers are copied at a time. */
const WIDTH = 2;

async function copyLayers(
  session: CopySession,
  { source, position }: ImageToCopy,
  { layers, manifestType }: ImagePlan,
): Promise<readonly CopiedLayer[]> {
  const turns = takeTurns(layers.length);
  return await sideBySide(
    layers,
    { width: WIDTH, signal: session.plan.signal },
    async (layer, index, signal) => {
      const what = `layer ${index} (${layer.source.digest ?? layer.source.diffID}) of ${source.location}`;
      const place = { image: position, index, what };
      const turn = turns[index] as Turn;
      try {
        return await copyLayer({ session, layer, manifestType, signal, place, turn });
      } finally {
        turn.done();
      }
    },
  );
}

async function putConfig(
  { destination, plan }: CopySession,
  { digest, bytes }: ImageDocument,
  location: string,
): Promise<void> {
  await destination.putBlob({
    what: `config ${digest} of ${location}`,
    kind: 'config',
    digest,
    size: bytes.length,
    open: async function* () {
      yield bytes;
    },
    ...(plan.signal === undefined ? {} : { signal: plan.signal }),
  });
}

interface DocumentParts extends OpenedToCopy {
  readonly planned: ImagePlan;
  readonly layers: readonly CopiedLayer[];
}

/** The manifest at the destination: the bytes of the source's, if they are still true. */
function documentFor({ planned, layers, opened, manifest }: DocumentParts): ImageDocument {
  const { config } = opened;
  const content = manifest?.content;
  const stays = layers.every(({ named }, i) => named.digest === content?.layers[i]?.digest);
  if (planned.keepsManifest && manifest !== undefined && stays) return manifest.document;
  if (planned.isPlain) {
    return dockerManifest(
      { ...config, mediaType: DOCKER_CONFIG },
      layers.map(({ blob }, i) => ({ diffID: (opened.layers[i] as LayerSource).diffID, size: blob.size })),
    );
  }
  const { mediaType, digest, bytes } = config;
  return writeManifest({
    type: planned.manifestType,
    config: { ...content?.config, mediaType, digest, size: bytes.length },
    layers: layers.map(({ named }) => named),
    ...(content === undefined ? {} : { from: content.value }),
  });
}
