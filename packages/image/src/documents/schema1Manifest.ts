import { type Digest, parseDigest, StorageError } from '@sediment/core';
import * as z from 'zod/mini';
import { isTime } from './goTime.ts';
import { checkDocument, type DocumentText, parseDocument } from './parseDocument.ts';

/** A step of the history of an image, and the layer that it made. */
export interface Schema1Step {
  /** Of the layer, compressed. */
  readonly blob: Digest;
  /** Whether the step changed no file: its layer is empty, and no layer of the image. */
  readonly isThrowaway: boolean;
  readonly created?: string;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
}

/** A manifest of Docker before 1.10, which has no config: the history holds it. */
export interface Schema1Manifest {
  /** Base first. */
  readonly steps: readonly Schema1Step[];
  /** The newest entry of the history, a JSON text with the configuration of the image. */
  readonly v1Compatibility: string;
}

const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  fsLayers: z.nullish(z.array(z.object({ blobSum: z.string() }))),
  history: z.nullish(z.array(z.object({ v1Compatibility: z.string() }))),
});

const text = z.nullish(z.string());
const stepSchema = z.object({
  id: z.string().check(z.regex(/^[a-f0-9]{64}$/, 'it is no image ID')),
  parent: text,
  created: z.nullish(z.string().check(z.refine(isTime, 'it is not a time in the form of RFC 3339'))),
  container_config: z.nullish(z.object({ Cmd: z.nullish(z.array(z.string())) })),
  author: text,
  comment: text,
  throwaway: z.nullish(z.boolean()),
});

type RawStep = z.output<typeof stepSchema>;

/**
 * Reads a manifest of schema 1 (distribution's "Image Manifest Version 2, Schema 1"). Steps that follow each other
 * with one id are one.
 *
 * @param value the parsed JSON
 * @throws {StorageError} the document's code, or `DIGEST_INVALID`
 */
export function readSchema1Manifest(value: unknown, document: DocumentText): Schema1Manifest {
  const { fsLayers, history } = checkDocument(manifestSchema, value, document);
  const layers = fsLayers ?? [];
  const entries = history ?? [];
  if (entries.length !== layers.length)
    throw broken(document, 'length of history not equal to number of layers');
  if (layers.length === 0) throw broken(document, 'no FSLayers in manifest');
  const raw = entries.map(({ v1Compatibility }, i) => readStep(v1Compatibility, i, document));
  checkChain(raw, document);
  const steps = raw.flatMap((step, i) => {
    if (raw[i + 1]?.id === step.id) return [];
    return [toStep(step, parseDigest(layers[i]?.blobSum, `layer ${i} of ${document.what}`))];
  });
  const newest = raw.findIndex((step, i) => raw[i + 1]?.id !== step.id);
  return { steps: steps.reverse(), v1Compatibility: entries[newest]?.v1Compatibility as string };
}

function readStep(v1Compatibility: string, index: number, document: DocumentText): RawStep {
  const what = `history entry ${index} of ${document.what}`;
  return parseDocument(stepSchema, { ...document, what, bytes: new TextEncoder().encode(v1Compatibility) });
}

function toStep(
  { created, container_config, author, comment, throwaway }: RawStep,
  blob: Digest,
): Schema1Step {
  return {
    blob,
    isThrowaway: throwaway ?? false,
    ...(created == null ? {} : { created }),
    createdBy: (container_config?.Cmd ?? []).join(' '),
    author: author ?? '',
    comment: comment ?? '',
  };
}

/** The newest step comes first; each names the one before it. */
function checkChain(steps: readonly RawStep[], document: DocumentText): void {
  const base = steps.at(-1);
  if (base?.parent) throw broken(document, 'Invalid parent ID in the base layer of the image');
  const seen = new Set<string>();
  for (const [i, { id, parent }] of steps.entries()) {
    const next = steps[i + 1];
    if (seen.has(id) && steps[i - 1]?.id !== id)
      throw broken(document, `ID ${id} appears multiple times in manifest`);
    seen.add(id);
    if (next === undefined || next.id === id || parent === next.id) continue;
    throw broken(document, `Invalid parent ID. Expected ${next.id}, got ${JSON.stringify(parent ?? '')}`);
  }
}

function broken({ code, what, path }: DocumentText, reason: string): StorageError {
  return new StorageError(code, `${what}: ${reason}`, {
    object: what,
    path,
    hint: 'the source is damaged, or was written by a tool that does not keep to the format: make it anew',
  });
}
