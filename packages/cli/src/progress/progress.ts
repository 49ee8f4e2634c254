/** How a command shows what it is doing; the first is the default. */
export const PROGRESS_MODES = ['auto', 'bars', 'json', 'none'] as const;

export type ProgressMode = (typeof PROGRESS_MODES)[number];

/** Shows the course of a long operation to whoever watches. */
export interface Progress<Event> {
  onEvent(event: Event): void;
  /** Prints a line without tearing what is drawn. */
  remark(line: string): void;
  /** Must be called in the end, after a failure too. */
  stop(): void;
}

/** What watching an operation's events takes: how to draw them, and what to say of them to programs. */
export interface Watched<Event> {
  readonly draw: (display: LayerDisplay) => (event: Event) => void;
  readonly toRecord: (event: Event) => ProgressRecord;
}

/** Where the layers of one image after the other are shown. */
export interface LayerDisplay {
  begin(layerCount: number): void;
  /** Of a layer that need not be read. */
  isThere(index: number, name: string): void;
  start(layer: { readonly index: number; readonly name: string; readonly size: number }): void;
  read(index: number, bytes: number): void;
  /** Everything of the layer was read. */
  done(index: number): void;
  end(): void;
}

/** An event as a program gets it, in a line of JSON. */
export interface ProgressRecord {
  readonly type: string;
  readonly [key: string]: unknown;
}
