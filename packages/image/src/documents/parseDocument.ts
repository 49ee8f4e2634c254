import { type ErrorCode, StorageError } from '@sediment/core';
import { en } from 'zod/locales';
import type * as z from 'zod/mini';

/** A JSON document whose bytes are at hand. Bytes are kept as they are: digests are over them. */
export interface DocumentText {
  readonly bytes: Uint8Array;
  /** Names the document in messages: `manifest sha256:…`. */
  readonly what: string;
  /** The file, archive or directory it comes from. */
  readonly path: string;
  /** The code of the error for a document that does not fit. */
  readonly code: ErrorCode;
}

/** Parses the JSON text. A byte order mark is an error, as it is for every Go program. */
export function parseJson({ bytes, what, path, code }: DocumentText): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError(code, `${what}: it is not valid JSON: ${reason}`, {
      object: what,
      path,
      cause,
      hint: DAMAGED,
    });
  }
}

/** Checks a parsed document against its schema; the message names the first field that does not fit. */
export function checkDocument<S extends z.ZodMiniType>(
  schema: S,
  value: unknown,
  document: DocumentText,
): z.output<S> {
  const result = schema.safeParse(value, { error: ENGLISH });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue === undefined ? '' : issue.path.map(String).join('.');
  const where = field === '' ? '' : `field ${JSON.stringify(field)}: `;
  throw new StorageError(document.code, `${document.what}: ${where}${issue?.message ?? 'it is malformed'}`, {
    object: document.what,
    path: document.path,
    cause: result.error,
    hint: DAMAGED,
  });
}

/** {@link parseJson} and {@link checkDocument} in one. */
export function parseDocument<S extends z.ZodMiniType>(schema: S, document: DocumentText): z.output<S> {
  return checkDocument(schema, parseJson(document), document);
}

/** Given to each parse: the words of zod are a setting of the whole process, and that is the embedding program's. */
const ENGLISH = en().localeError;

const DAMAGED =
  'the source is damaged, or was written by a tool that does not keep to the format: make it anew';
