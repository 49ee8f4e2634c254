import { StorageError } from '@sediment/core';
import * as z from 'zod/mini';
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1,
  DOCKER_SIGNED_SCHEMA1,
  type ManifestKind,
  manifestKindOf,
  OCI_INDEX,
  OCI_MANIFEST,
} from './mediaTypes.ts';
import { checkDocument, type DocumentText } from './parseDocument.ts';

const outlineSchema = z.object({
  schemaVersion: z.nullish(z.number()),
  mediaType: z.nullish(z.string()),
  config: z.nullish(z.object({ mediaType: z.nullish(z.string()) })),
  manifests: z.nullish(z.array(z.unknown())),
  signatures: z.nullish(z.unknown()),
});

/** Fields that tell the kinds of manifest apart; each kind may have its own only. */
const TELLING_FIELDS = ['config', 'fsLayers', 'history', 'layers', 'manifests'];
const ALLOWED_FIELDS: Readonly<Record<ManifestKind, readonly string[]>> = {
  manifest: ['config', 'layers'],
  index: ['manifests'],
  schema1: ['fsLayers', 'history'],
};

export interface ManifestIdentity {
  readonly kind: ManifestKind;
  readonly mediaType: string;
}

/**
 * Finds out what a manifest document is: by its own `mediaType`, else by the type that its descriptor
 * declares, else by its fields.
 *
 * @param declared media type of the descriptor; may be empty or unknown
 * @throws {StorageError} `MANIFEST_INVALID`, also for a document that programs could read as one kind
 *   or as another
 */
export function identifyManifest(value: unknown, declared: string, document: DocumentText): ManifestIdentity {
  const outline = checkDocument(outlineSchema, value, document);
  const own = outline.mediaType ?? '';
  const ownKind = manifestKindOf(own);
  const declaredKind = manifestKindOf(declared);
  if (ownKind !== undefined && declaredKind !== undefined && ownKind !== declaredKind) {
    throw new StorageError(
      'MANIFEST_INVALID',
      `${document.what}: it says it is ${own}, its descriptor ${declared}`,
      {
        object: document.what,
        path: document.path,
        expected: declared,
        actual: own,
        hint: 'the source contradicts itself: make it anew',
      },
    );
  }
  const identity = identityOf(
    ownKind === undefined ? (declaredKind === undefined ? guess(outline) : declared) : own,
  );
  rejectAmbiguous(value as object, identity, document);
  return identity;
}

function identityOf(mediaType: string): ManifestIdentity {
  return { kind: manifestKindOf(mediaType) ?? 'manifest', mediaType };
}

function guess({ schemaVersion, config, manifests, signatures }: z.output<typeof outlineSchema>): string {
  if (schemaVersion === 1) return signatures == null ? DOCKER_SCHEMA1 : DOCKER_SIGNED_SCHEMA1;
  if (config?.mediaType === DOCKER_CONFIG) return DOCKER_MANIFEST;
  if (config == null && (manifests ?? []).length > 0) return OCI_INDEX;
  return OCI_MANIFEST;
}

/**
 * Go takes field names in any case, so a document with `Layers` beside `layers` would mean one thing
 * here and another there: such names count as the field, and are never allowed.
 */
function rejectAmbiguous(
  value: object,
  { kind, mediaType }: ManifestIdentity,
  { what, path }: DocumentText,
): void {
  const telling = new Map(TELLING_FIELDS.map((field) => [field.toLowerCase(), field]));
  const unexpected = Object.keys(value).filter((key) => {
    const field = telling.get(key.toLowerCase());
    return field !== undefined && (key !== field || !ALLOWED_FIELDS[kind].includes(field));
  });
  if (unexpected.length === 0) return;
  const fields = unexpected.map((key) => JSON.stringify(key)).join(' ');
  throw new StorageError(
    'MANIFEST_INVALID',
    `${what}: rejecting ambiguous manifest, unexpected fields [${fields}] in supposedly ${mediaType}`,
    { object: what, path, hint: 'other programs could read it as another image: do not trust the source' },
  );
}
