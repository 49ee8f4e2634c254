import { isDeepStrictEqual } from 'node:util';
import { uniqueNames } from '../records/names.ts';
import { moveNames, type NamesChange, type TakenName } from './moveNames.ts';
import type { NamedRecord, TableWriter } from './recordTable.ts';

export interface Renamed<R extends NamedRecord> {
  readonly record: R;
  /** Names that others of the kind lost. */
  readonly taken: readonly TakenName[];
}

/** Changes the names of a record, taking them from others of its kind. Saves only what changes. */
export async function rename<R extends NamedRecord>(
  writer: TableWriter<R>,
  record: R,
  change: NamesChange,
): Promise<Renamed<R>> {
  const names = uniqueNames(change(record.names));
  if (isDeepStrictEqual(names, record.names)) return { record, taken: [] };
  const taken = moveNames(writer, names, record.id);
  const renamed = { ...record, names };
  writer.put(renamed);
  await writer.save();
  return { record: renamed, taken };
}
