import type { ImageRecord } from '../records/imageRecord.ts';
import { uniqueNames, withNamesInHistory } from '../records/names.ts';
import type { TableWriter } from '../tables/recordTable.ts';

/** A name that was taken from another image. */
export interface TakenName {
  readonly name: string;
  /** Id of the image that had it. */
  readonly from: string;
}

/** Takes `names` from all images but `ownerId`; the caller saves. */
export function moveNames(
  writer: TableWriter<ImageRecord>,
  names: readonly string[],
  ownerId: string,
): readonly TakenName[] {
  const taken: TakenName[] = [];
  for (const image of writer.all()) {
    if (image.id === ownerId) continue;
    const lost = image.names.filter((name) => names.includes(name));
    if (lost.length === 0) continue;
    writer.put({ ...image, names: image.names.filter((name) => !lost.includes(name)) });
    taken.push(...lost.map((name) => ({ name, from: image.id })));
  }
  return taken;
}

/** The record with exactly these names; each set of names is kept in the history. */
export function withNames(image: ImageRecord, names: readonly string[]): ImageRecord {
  const unique = uniqueNames(names);
  return { ...image, names: unique, namesHistory: withNamesInHistory(image.namesHistory, unique) };
}
