import { isStorageError, StorageError } from '@sediment/core';
import { parseImageName } from './imageName.ts';
import { unsupportedTransport } from './unsupportedTransports.ts';

export type SourceTransport = 'docker-archive' | 'oci' | 'oci-archive';

/** Which image of a source: by a name that it carries there, or by its zero-based position. */
export type ImageSelector = { readonly name: string } | { readonly index: number };

/** Where an image is to be read from. Without a transport the form is found by looking at the content. */
export interface SourceReference {
  readonly transport?: SourceTransport;
  /** As given; relative to the working directory of the process. */
  readonly path: string;
  readonly select?: ImageSelector;
}

const OCI_COMPONENT = '[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*';
/** OCI image-spec, `annotations.md`, `org.opencontainers.image.ref.name`. */
const OCI_NAME = new RegExp(`^${OCI_COMPONENT}(?:/${OCI_COMPONENT})*$`);
const TRANSPORT = /^([a-z][a-z0-9-]*):(.*)$/s;

/**
 * Reads `docker-archive:path[:name|:@N]`, `oci:directory[:name|:@N]`, `oci-archive:file[:name|:@N]`
 * or a bare path. As the first colon ends the path, a path with a colon can only be given bare, or
 * as an object.
 *
 * @throws {StorageError} `REFERENCE_INVALID`, `TRANSPORT_UNKNOWN`, `TRANSPORT_UNSUPPORTED`
 */
export function parseSourceReference(text: string): SourceReference {
  const match = TRANSPORT.exec(text);
  if (match === null) {
    if (text === '') throw invalid(text, 'it is empty', REFERENCE_HINT);
    return { path: text };
  }
  const [, transport, rest] = match as unknown as [string, string, string];
  if (!isSourceTransport(transport)) throw unsupportedTransport(text, transport, rest);
  const colon = rest.indexOf(':');
  const path = colon === -1 ? rest : rest.slice(0, colon);
  if (path === '') throw invalid(text, 'the path is missing', `write ${transport}:path[:name]`);
  if (colon === -1) return { transport, path };
  const select = parseSelector(text, transport, rest.slice(colon + 1));
  return { transport, path, ...(select === undefined ? {} : { select }) };
}

/** The text form of a reference. */
export function formatSourceReference({ transport, path, select }: SourceReference): string {
  const prefix = transport === undefined ? '' : `${transport}:`;
  if (select === undefined) return `${prefix}${path}`;
  return `${prefix}${path}:${'name' in select ? select.name : `@${select.index}`}`;
}

/**
 * Reads `name` or `@N`, a choice among the images of a source.
 *
 * @throws {StorageError} `REFERENCE_INVALID`
 */
export function parseImageSelector(text: string): ImageSelector {
  if (!text.startsWith('@')) return { name: text };
  const index = /^@\d+$/.test(text) ? Number(text.slice(1)) : Number.NaN;
  if (Number.isSafeInteger(index)) return { index };
  throw invalid(text, `invalid source index ${text}`, 'write "@" and the zero-based position of the image');
}

const REFERENCE_HINT =
  'write docker-archive:file[:name], oci:directory[:name], oci-archive:file[:name], or just the path';

function parseSelector(text: string, transport: SourceTransport, rest: string): ImageSelector | undefined {
  if (rest.startsWith('@')) return partOf(text, () => parseImageSelector(rest));
  if (transport === 'docker-archive') {
    if (partOf(text, () => parseImageName(rest)).digest === undefined) return { name: rest };
    throw invalid(text, 'docker-archive does not support digests', 'choose by tag, or by position with @N');
  }
  if (rest === '') return undefined;
  if (OCI_NAME.test(rest)) return { name: rest };
  throw invalid(
    text,
    `invalid image name ${JSON.stringify(rest)}`,
    'the names that there are stand in index.json, as org.opencontainers.image.ref.name',
  );
}

/** Names the whole reference in an error about a part of it. */
function partOf<T>(text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isStorageError(error, 'REFERENCE_INVALID')) throw error;
    throw invalid(text, error.message, error.hint ?? REFERENCE_HINT);
  }
}

function isSourceTransport(text: string): text is SourceTransport {
  return text === 'docker-archive' || text === 'oci' || text === 'oci-archive';
}

function invalid(text: string, reason: string, hint: string): StorageError {
  return new StorageError('REFERENCE_INVALID', `invalid image reference ${JSON.stringify(text)}: ${reason}`, {
    object: text,
    hint,
  });
}
