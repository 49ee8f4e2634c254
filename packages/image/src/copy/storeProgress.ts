import type { Digest } from '@sediment/core';
import type { ImportEvent } from '../import/importEvents.ts';
import type { ImportedImage } from '../import/importOptions.ts';
import type { AnnouncedBlob, CopiedBlob, CopiedImage, CopyEvent } from './copyEvents.ts';

/** Tells of the import of an image in the events of a copy, and remembers what became of its layers. */
export class StoreProgress {
  readonly #onProgress: (event: CopyEvent) => void;
  readonly #layers: CopiedBlob[] = [];
  #announced: readonly AnnouncedBlob[] = [];

  constructor(onProgress: ((event: CopyEvent) => void) | undefined) {
    this.#onProgress = onProgress ?? (() => undefined);
  }

  report(event: ImportEvent): void {
    switch (event.type) {
      case 'image-start': {
        const { image, total, names, layers } = event;
        this.#announced = layers;
        this.#onProgress({ type: 'image-start', image, total, names, layers });
        return;
      }
      case 'layer-start':
        this.#onProgress({ type: 'layer-start', image: 0, index: event.index, size: event.size });
        return;
      case 'layer-progress':
        this.#onProgress({ type: 'layer-progress', image: 0, index: event.index, read: event.read });
        return;
      case 'layer-reused':
        this.#done(event.index, 'present');
        return;
      case 'layer-done':
        this.#done(event.index, 'unpacked');
        return;
      case 'blob-kept':
      case 'image-done':
    }
  }

  /** @param names that were given to the image */
  finish({ id, manifestDigest }: ImportedImage, names: readonly string[]): CopiedImage {
    const copied = { manifestDigest, sourceDigest: manifestDigest, id, names, layers: this.#layers };
    this.#onProgress({ type: 'image-done', image: 0, copied });
    return copied;
  }

  #done(index: number, copied: CopiedBlob['copied']): void {
    const { digest, diffID, size = 0 } = this.#announced[index] ?? {};
    const blob = { digest: (digest ?? diffID) as Digest, size, copied };
    this.#layers[index] = blob;
    this.#onProgress({ type: 'layer-done', image: 0, index, ...blob });
  }
}
