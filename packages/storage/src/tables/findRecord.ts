import type { NamedRecord, TableWriter } from './recordTable.ts';

/** A record and the writer of the store that has it. */
export interface FoundRecord<R extends NamedRecord> {
  readonly writer: TableWriter<R>;
  readonly record: R;
}

/** A record of the writable stores: the first one, and the second where there are two and all are locked. */
export function findRecord<R extends NamedRecord>(
  { writers }: TableWriter<R>,
  idOrName: string,
): FoundRecord<R> | undefined {
  for (const writer of writers) {
    const record = writer.find(idOrName);
    if (record !== undefined) return { writer, record };
  }
  return undefined;
}
