import { StorageError } from '@sediment/core';
import { parseImageName } from './imageName.ts';
import { formatImageSelector, type ImageSelector, parseImageSelector } from './imageSelector.ts';
import { invalidReference, partOfReference } from './invalidReference.ts';
import { formatStoreReference, parseStoreReference, type StoreReference } from './storeReference.ts';
import { TRANSPORTS, type Transport } from './transports.ts';
import { type ReferenceUse, unsupportedTransport } from './unsupportedTransports.ts';

/** An archive or a layout, which can hold several images. */
export interface ArchiveReference {
  readonly transport: 'docker-archive' | 'oci' | 'oci-archive';
  /** As given; relative to the working directory of the process. */
  readonly path: string;
  /** Of a source: which image; of a destination: the name that the image gets. */
  readonly select?: ImageSelector;
}

/** A directory that holds one image as plain files. */
export interface DirReference {
  readonly transport: 'dir';
  /** As given; relative to the working directory of the process. */
  readonly path: string;
}

/** Where an image is, or is to be: `transport:rest`, as skopeo has it. */
export type ImageReference = ArchiveReference | DirReference | StoreReference;

const OCI_COMPONENT = '[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*';
/** OCI image-spec, `annotations.md`, `org.opencontainers.image.ref.name`. */
const OCI_NAME = new RegExp(`^${OCI_COMPONENT}(?:/${OCI_COMPONENT})*$`);

const FORMS =
  'use docker-archive:file[:name], oci-archive:file[:name], oci:directory[:name], dir:directory or containers-storage:name';

/**
 * Reads `docker-archive:path[:name|:@N]`, `oci:directory[:name|:@N]`, `oci-archive:file[:name|:@N]`,
 * `dir:directory` or `containers-storage:[store]image`. As the first colon ends the path of the first three, a
 * path with a colon can only be given as an object.
 *
 * @param use what the reference is for: a position `@N` is for sources only, and hints differ
 * @throws {StorageError} `REFERENCE_INVALID`, `TRANSPORT_UNKNOWN`, `TRANSPORT_UNSUPPORTED`
 */
export function parseImageReference(text: string, use: ReferenceUse = 'source'): ImageReference {
  const colon = text.indexOf(':');
  if (colon === -1) {
    throw new StorageError(
      'REFERENCE_INVALID',
      `Invalid image name ${JSON.stringify(text)}, expected colon-separated transport:reference`,
      { object: text, hint: FORMS },
    );
  }
  const transport = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  if (!isTransport(transport)) throw unsupportedTransport({ text, transport, rest, use });
  if (transport === 'containers-storage') return parseStoreReference(text, rest);
  if (transport !== 'dir') return parseArchive(text, transport, { rest, use });
  if (rest === '') throw pathMissing(text, 'dir:directory');
  return { transport, path: rest };
}

/** The text form of a reference. */
export function formatImageReference(reference: ImageReference): string {
  const { transport } = reference;
  if (transport === 'containers-storage') return `${transport}:${formatStoreReference(reference)}`;
  if (transport === 'dir' || reference.select === undefined) return `${transport}:${reference.path}`;
  return `${transport}:${reference.path}:${formatImageSelector(reference.select)}`;
}

function parseArchive(
  text: string,
  transport: ArchiveReference['transport'],
  { rest, use }: { readonly rest: string; readonly use: ReferenceUse },
): ArchiveReference {
  const colon = rest.indexOf(':');
  const path = colon === -1 ? rest : rest.slice(0, colon);
  if (path === '') throw pathMissing(text, `${transport}:path[:name]`);
  if (colon === -1) return { transport, path };
  const chosen = rest.slice(colon + 1);
  if (use === 'destination' && chosen.startsWith('@')) {
    throw invalidReference(
      text,
      `Invalid image ${chosen}`,
      'a position is for reading; give a name, or none',
    );
  }
  const select = parseSelect(text, transport, chosen);
  return { transport, path, ...(select === undefined ? {} : { select }) };
}

function parseSelect(
  text: string,
  transport: ArchiveReference['transport'],
  chosen: string,
): ImageSelector | undefined {
  if (chosen.startsWith('@')) return partOfReference(text, () => parseImageSelector(chosen));
  if (transport === 'docker-archive') {
    if (partOfReference(text, () => parseImageName(chosen)).digest === undefined) return { name: chosen };
    throw invalidReference(
      text,
      'docker-archive does not support digests',
      'choose by tag, or by position with @N',
    );
  }
  if (chosen === '') return undefined;
  if (OCI_NAME.test(chosen)) return { name: chosen };
  throw invalidReference(
    text,
    `Invalid image ${chosen}`,
    'the name consists of letters and digits, with one of "-._:@+/" or "--" between them',
  );
}

function isTransport(text: string): text is Transport {
  return (TRANSPORTS as readonly string[]).includes(text);
}

function pathMissing(text: string, form: string): StorageError {
  return invalidReference(text, 'the path is missing', `write ${form}`);
}
