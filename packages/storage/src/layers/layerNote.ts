import { existsSync } from 'node:fs';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TempDir, TempDirRoot } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { type LayerRemover, withLayerRemover } from './layerRemover.ts';

const ID = /^[0-9a-f]{64}$/;

/**
 * Notes in a staging directory which layers will be made of what lies there. They are moved into place before they
 * have a record: should this process die in between, nothing else tells that they are nobody's.
 *
 * @returns path of the note, which must be on the disk before anything is moved
 */
export function noteLayers(staging: TempDir, ids: readonly string[]): string {
  return staging.leaveNote(ids.join('\n'));
}

/**
 * Removes what killed programs moved into place but did not record. Call it before the staging directories
 * themselves are collected: until then it can be done again.
 */
export async function removeNotedLayers(context: StoreContext, roots: readonly TempDirRoot[]): Promise<void> {
  const noted = roots.flatMap((root) => root.staleNotes()).flatMap((note) => note.split('\n'));
  const ids = noted.filter((id) => ID.test(id));
  if (ids.length === 0) return;
  await withLayerRemover(context, async (remover) => {
    await context.layers.write(async (writer) => {
      for (const id of withoutRecord(context, writer, ids)) await removeFiles(context, remover, id);
    });
  });
}

/** What cannot be removed must not keep anybody from opening the store. */
async function removeFiles({ onWarning }: StoreContext, remover: LayerRemover, id: string): Promise<void> {
  try {
    await remover.removeContent(id);
    const message = `removed the files of layer ${id}, which an interrupted program did not record`;
    onWarning({ code: 'DEBRIS_REMOVED', message, object: id });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `files of layer ${id}, which has no record, could not be removed: ${why}`;
    onWarning({ code: 'DEBRIS_LEFT', message, object: id });
  }
}

/** Children first, as they were noted parents first. An incomplete layer has a record, and goes by that. */
function withoutRecord(
  { driver, paths }: StoreContext,
  view: TableView<LayerRecord>,
  ids: readonly string[],
): string[] {
  const hidden = new Set(view.hidden().map(({ id }) => id));
  const isUnknown = (id: string) => view.locateId(id) === undefined && !hidden.has(id);
  const isThere = (id: string) => driver.exists(id) || existsSync(paths.tarSplit(id));
  return [...new Set(ids)].filter((id) => isUnknown(id) && isThere(id)).toReversed();
}
