import type { WriteStream } from 'node:tty';
import { default as cliProgress, type MultiBar, type SingleBar } from 'cli-progress';
import { formatBytes } from '../output/bytes.ts';
import { shortId } from '../output/shortId.ts';

/** A layer that is being read. */
export interface LayerProgress {
  readonly index: number;
  readonly id: string;
  /** Bytes of the blob, and how many of them were read. */
  readonly size: number;
  readonly read: number;
}

/** Columns besides the bar itself: ` layer 12/34 0123456789ab [] 1.23 GB / 1.23 GB`. */
const TEXT_COLUMNS = 52;
const LONGEST_BAR = 40;
/** Lines that stay free: redrawing goes wrong when the bars do not fit the screen. */
const FREE_LINES = 2;

/** One bar for each layer of one image, on a terminal. */
export class LayerBars {
  readonly #screen: WriteStream;
  readonly #layerCount: number;
  readonly #multiBar: MultiBar;
  readonly #bars = new Map<number, SingleBar>();

  constructor(screen: WriteStream, layerCount: number) {
    this.#screen = screen;
    this.#layerCount = layerCount;
    const barColumns = Math.max(0, Math.min(LONGEST_BAR, screen.columns - TEXT_COLUMNS));
    this.#multiBar = new cliProgress.MultiBar({
      stream: screen,
      hideCursor: true,
      format: (_options, { progress, value, total }, { name }: { readonly name: string }) => {
        const bar = '='.repeat(Math.floor(progress * barColumns)).padEnd(barColumns, '-');
        return `${name} [${bar}] ${formatBytes(value)} / ${formatBytes(total)}`;
      },
    });
  }

  /** Draws a layer's bar; the first call for a layer makes it. */
  show({ index, id, size, read }: LayerProgress): void {
    const bar = this.#bars.get(index);
    if (bar !== undefined) {
      bar.update(read);
      return;
    }
    this.#makeRoom();
    const number = String(index + 1).padStart(String(this.#layerCount).length);
    const name = `layer ${number}/${this.#layerCount} ${shortId(id)}`;
    this.#bars.set(index, this.#multiBar.create(size, read, { name }));
  }

  /** Prints a line above the bars. */
  log(line: string): void {
    this.#multiBar.log(`${line}\n`);
    this.#multiBar.update();
  }

  /** Leaves the bars as they are and gives the terminal back. */
  stop(): void {
    if (this.#bars.size === 0) return;
    this.#multiBar.update();
    this.#multiBar.stop();
  }

  /** Takes away the bar of a layer that was read completely. */
  #makeRoom(): void {
    if (this.#bars.size < this.#screen.rows - FREE_LINES) return;
    for (const [index, bar] of this.#bars) {
      if (bar.getProgress() < 1) continue;
      this.#multiBar.remove(bar);
      this.#bars.delete(index);
      return;
    }
  }
}
