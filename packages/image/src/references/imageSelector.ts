import { StorageError } from '@sediment/core';

/** Which image of several: by a name that it carries there, or by its zero-based position. */
export type ImageSelector = { readonly name: string } | { readonly index: number };

/**
 * Reads `name` or `@N`, a choice among the images of a source.
 *
 * @throws {StorageError} `REFERENCE_INVALID`
 */
export function parseImageSelector(text: string): ImageSelector {
  if (!text.startsWith('@')) return { name: text };
  const index = /^@\d+$/.test(text) ? Number(text.slice(1)) : Number.NaN;
  if (Number.isSafeInteger(index)) return { index };
  throw new StorageError('REFERENCE_INVALID', `invalid source index ${text}`, {
    object: text,
    hint: 'write "@" and the zero-based position of the image',
  });
}

/** The text form of a selector. */
export function formatImageSelector(select: ImageSelector): string {
  return 'name' in select ? select.name : `@${select.index}`;
}
