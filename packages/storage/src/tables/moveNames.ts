import type { NamedRecord, TableWriter } from './recordTable.ts';

/** A name that was taken from another object of the same kind. */
export interface TakenName {
  readonly name: string;
  /** Id of the object that had it. */
  readonly from: string;
}

/** What to make of the names that an object has. */
export type NamesChange = (present: readonly string[]) => readonly string[];

/** Takes `names` from all records but that of `ownerId`; the caller saves. */
export function moveNames<R extends NamedRecord>(
  writer: TableWriter<R>,
  names: readonly string[],
  ownerId: string,
): readonly TakenName[] {
  const taken: TakenName[] = [];
  for (const record of writer.all()) {
    if (record.id === ownerId) continue;
    const lost = record.names.filter((name) => names.includes(name));
    if (lost.length === 0) continue;
    writer.put({ ...record, names: record.names.filter((name) => !lost.includes(name)) });
    taken.push(...lost.map((name) => ({ name, from: record.id })));
  }
  return taken;
}
