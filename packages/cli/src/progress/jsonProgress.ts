import type { Progress, ProgressRecord, Watched } from './progress.ts';

/** Of one layer no more than ten records per second are written. */
const PAUSE_MS = 100;

/** A line of JSON for each event. */
export class JsonProgress<Event> implements Progress<Event> {
  readonly #tell: (record: ProgressRecord) => void;
  readonly #toRecord: Watched<Event>['toRecord'];
  readonly #told = new Map<unknown, number>();

  constructor(tell: (record: ProgressRecord) => void, { toRecord }: Watched<Event>) {
    this.#tell = tell;
    this.#toRecord = toRecord;
  }

  onEvent(event: Event): void {
    const record = this.#toRecord(event);
    if (record.type === 'image-start') this.#told.clear();
    if (record.type === 'layer-progress' && !this.#isDue(record.index)) return;
    this.#tell(record);
  }

  remark(line: string): void {
    this.#tell({ type: 'note', message: line });
  }

  stop(): void {
    this.#told.clear();
  }

  #isDue(layer: unknown): boolean {
    const now = performance.now();
    if (now - (this.#told.get(layer) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return false;
    this.#told.set(layer, now);
    return true;
  }
}
