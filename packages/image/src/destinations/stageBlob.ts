import type { OpenBytes } from '@sediment/storage';
import { openRange } from '../archives/openRange.ts';
import { spool } from '../archives/spoolFile.ts';
import { openChecked } from './checkedBlob.ts';
import type { NewBlob, StoredBlob } from './imageDestination.ts';

/** A verified blob in a temporary file. */
export interface StagedBlob {
  readonly stored: StoredBlob;
  readonly open: OpenBytes;
  /** Removes the file. */
  close(): Promise<void>;
}

/** @throws {StorageError} as `openChecked` and `spool` */
export async function stageBlob(blob: NewBlob, directory: string): Promise<StagedBlob> {
  const { what, signal } = blob;
  const bytes = openChecked(blob);
  const file = await spool({ bytes, place: directory, what, ...(signal === undefined ? {} : { signal }) });
  return {
    stored: bytes.result(),
    open: openRange({ path: file.path, offset: 0, length: file.size }, what),
    close: () => file.close(),
  };
}
