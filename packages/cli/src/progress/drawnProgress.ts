import { shortId } from '../output/shortId.ts';
import type { Terminal } from '../output/terminal.ts';
import type { LayerBars } from './layerBars.ts';
import type { LayerDisplay, Progress, Watched } from './progress.ts';

/** Bars on a terminal, for the layers of one image after the other. */
export class DrawnProgress<Event> implements Progress<Event>, LayerDisplay {
  readonly onEvent: (event: Event) => void;
  readonly #terminal: Terminal;
  readonly #newBars: (layerCount: number) => LayerBars;
  readonly #layers = new Map<number, { readonly name: string; readonly size: number }>();
  #layerCount = 0;
  #bars: LayerBars | undefined;

  constructor(terminal: Terminal, newBars: (layerCount: number) => LayerBars, { draw }: Watched<Event>) {
    this.#terminal = terminal;
    this.#newBars = newBars;
    this.onEvent = draw(this);
  }

  begin(layerCount: number): void {
    this.#layerCount = layerCount;
    this.#layers.clear();
  }

  isThere(index: number, name: string): void {
    this.remark(`layer ${index + 1}/${this.#layerCount} ${shortId(name)} is already there`);
  }

  start({
    index,
    name,
    size,
  }: {
    readonly index: number;
    readonly name: string;
    readonly size: number;
  }): void {
    this.#layers.set(index, { name, size });
  }

  read(index: number, bytes: number): void {
    const layer = this.#layers.get(index);
    if (layer === undefined) return;
    this.#bars ??= this.#newBars(this.#layerCount);
    this.#bars.show({ index, id: layer.name, size: layer.size, read: bytes });
  }

  done(index: number): void {
    this.read(index, this.#layers.get(index)?.size ?? 0);
  }

  end(): void {
    this.stop();
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
