import type { ImportEvent } from '@sediment/image';
import { shortId } from '../output/shortId.ts';
import type { Terminal } from '../output/terminal.ts';
import type { LayerBars } from './layerBars.ts';

/** Shows an import to a person who watches. */
export interface ImportProgress {
  onEvent(event: ImportEvent): void;
  /** Prints a line without tearing what is drawn. */
  remark(line: string): void;
  /** Must be called in the end, after a failure too. */
  stop(): void;
}

/** Bars on a terminal; nothing but remarks where there is none, or `quiet` asks for it. */
export async function importProgress(terminal: Terminal, quiet: boolean): Promise<ImportProgress> {
  const { screen } = terminal;
  if (quiet || screen === undefined) {
    return { onEvent: () => undefined, remark: (line) => terminal.remark(line), stop: () => undefined };
  }
  const { LayerBars } = await import('./layerBars.ts');
  return new DrawnProgress(terminal, (layerCount) => new LayerBars(screen, layerCount));
}

/** Keeps one set of bars per image, since images are imported one after the other. */
class DrawnProgress implements ImportProgress {
  readonly #terminal: Terminal;
  readonly #newBars: (layerCount: number) => LayerBars;
  readonly #sizes = new Map<number, number>();
  #layerCount = 0;
  #bars: LayerBars | undefined;

  constructor(terminal: Terminal, newBars: (layerCount: number) => LayerBars) {
    this.#terminal = terminal;
    this.#newBars = newBars;
  }

  onEvent(event: ImportEvent): void {
    switch (event.type) {
      case 'image-start':
        this.#layerCount = event.layers.length;
        this.#sizes.clear();
        break;
      case 'layer-reused':
        this.remark(`layer ${event.index + 1}/${this.#layerCount} ${shortId(event.id)} is already there`);
        break;
      case 'layer-start':
        this.#sizes.set(event.index, event.size);
        break;
      case 'layer-progress':
        this.#bars ??= this.#newBars(this.#layerCount);
        this.#bars.show({ ...event, size: this.#sizes.get(event.index) ?? 0 });
        break;
      case 'layer-done':
        break;
      case 'image-done':
        this.stop();
        break;
    }
  }

  remark(line: string): void {
    if (this.#bars === undefined) this.#terminal.remark(line);
    else this.#bars.log(line);
  }

  stop(): void {
    this.#bars?.stop();
    this.#bars = undefined;
  }
}
