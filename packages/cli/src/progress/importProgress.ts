import type { ImportEvent } from '@sediment/image';
import type { LayerDisplay, ProgressRecord, Watched } from './progress.ts';

/** How the events of an import are shown. */
export const IMPORT_PROGRESS: Watched<ImportEvent> = { draw: drawImport, toRecord };

function drawImport(display: LayerDisplay): (event: ImportEvent) => void {
  return (event) => {
    switch (event.type) {
      case 'image-start':
        return display.begin(event.layers.length);
      case 'layer-reused':
        return display.isThere(event.index, event.id);
      case 'layer-start':
        return display.start({ index: event.index, name: event.id, size: event.size });
      case 'layer-progress':
        return display.read(event.index, event.read);
      case 'layer-done':
        return display.done(event.index);
      case 'image-done':
        return display.end();
    }
  };
}

/** Of the image in the store no more than a program needs to find it again. */
function toRecord(event: ImportEvent): ProgressRecord {
  if (event.type !== 'image-done') return { ...event };
  const { type, image, isNew, keepsBlobs, info } = event;
  return { type, image, id: info.id, names: info.names, digest: info.digest ?? null, isNew, keepsBlobs };
}
