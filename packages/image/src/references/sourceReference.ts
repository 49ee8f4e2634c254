import { StorageError } from '@sediment/core';
import { formatImageReference, type ImageReference, parseImageReference } from './imageReference.ts';

/** A file or directory whose form is found by looking at the content. */
export interface PathReference {
  readonly transport?: undefined;
  /** As given; relative to the working directory of the process. */
  readonly path: string;
}

/** Where an image is to be read from: with a transport, or just a path. */
export type SourceReference = ImageReference | PathReference;

const TRANSPORT = /^[a-z][a-z0-9-]*:/;

/**
 * As `parseImageReference`, but a text that does not begin like a transport is a path.
 *
 * @throws {StorageError} `REFERENCE_INVALID`, `TRANSPORT_UNKNOWN`, `TRANSPORT_UNSUPPORTED`
 */
export function parseSourceReference(text: string): SourceReference {
  if (TRANSPORT.test(text)) return parseImageReference(text);
  if (text !== '') return { path: text };
  throw new StorageError('REFERENCE_INVALID', 'invalid image reference "": it is empty', {
    object: text,
    hint: 'write the path of an archive or a directory',
  });
}

/** The text form of a reference. */
export function formatSourceReference(reference: SourceReference): string {
  if (reference.transport !== undefined) return formatImageReference(reference);
  return reference.path;
}
