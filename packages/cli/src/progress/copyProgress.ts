import type { CopyEvent } from '@sediment/image';
import type { LayerDisplay, ProgressRecord, Watched } from './progress.ts';

/** How the events of a copy are shown. */
export const COPY_PROGRESS: Watched<CopyEvent> = { draw: drawCopy, toRecord };

function drawCopy(display: LayerDisplay): (event: CopyEvent) => void {
  let names: string[] = [];
  return (event) => {
    switch (event.type) {
      case 'image-start':
        names = event.layers.map(({ digest, diffID }) => digest ?? diffID ?? '');
        return display.begin(names.length);
      case 'layer-start':
        return display.start({ index: event.index, name: names[event.index] ?? '', size: event.size });
      case 'layer-progress':
        return display.read(event.index, event.read);
      case 'layer-done':
        if (event.copied === 'present') return display.isThere(event.index, event.digest);
        return display.done(event.index);
      case 'image-done':
        return display.end();
      case 'commit':
        return;
    }
  };
}

function toRecord(event: CopyEvent): ProgressRecord {
  if (event.type !== 'image-done') return { ...event };
  const { type, image, copied } = event;
  return { type, image, ...copied };
}
