import { statSync } from 'node:fs';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import type { ArchiveReference, DirReference } from '@sediment/image';

/** Where an export can go to. */
export type ExportReference = ArchiveReference | DirReference;

/**
 * Reads where a person wants images to go: a reference, or a path whose form follows from it. A path that ends in
 * `.tar`, a file, a pipe and `-` (standard output) are an oci-archive; a directory, and a path that ends in `/`, an OCI
 * layout.
 *
 * @throws {StorageError} `REFERENCE_INVALID`, also for a path that could be both; `TRANSPORT_UNKNOWN`,
 *   `TRANSPORT_UNSUPPORTED`
 */
export async function exportDestination(text: string): Promise<ExportReference> {
  if (/^[a-z][a-z0-9-]*:/.test(text) && kindOf(text) === 'nothing') return await parsed(text);
  const form = formOf(text);
  if (form !== undefined) return { transport: form, path: text };
  throw new StorageError('REFERENCE_INVALID', `${JSON.stringify(text)} could become a file or a directory`, {
    object: text,
    hint: `write oci-archive:${text} (or ${text}.tar) for a file, oci:${text} (or ${text}/) for a directory`,
  });
}

async function parsed(text: string): Promise<ExportReference> {
  const { parseImageReference } = await import('@sediment/image');
  const reference = parseImageReference(text, 'destination');
  if (reference.transport !== 'containers-storage') return reference;
  throw new StorageError('REFERENCE_INVALID', `cannot export to ${text}: it is a store`, {
    object: text,
    hint: `use "sediment copy containers-storage:IMAGE ${text}"`,
  });
}

function formOf(path: string): 'oci' | 'oci-archive' | undefined {
  if (path === '-') return 'oci-archive';
  if (path.endsWith('/')) return 'oci';
  const kind = kindOf(path);
  if (kind !== 'nothing') return kind === 'directory' ? 'oci' : 'oci-archive';
  return path.endsWith('.tar') ? 'oci-archive' : undefined;
}

function kindOf(path: string): 'directory' | 'file' | 'nothing' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return 'nothing';
    throw wrapSystemError(error, `looking at ${path}`, 'IO', { path });
  }
}
