import { availableParallelism } from 'node:os';

/** What `UV_THREADPOOL_SIZE` is where nobody has set it. */
const DEFAULT_POOL = 4;

/**
 * Lets a number of tasks for the threads of Node's pool run at a time, in the order in which they come. The pool is
 * everybody's: reads and writes of files wait behind what takes long there, so a thread of it is left to them.
 */
export class DeflateTurns {
  /** How many run at a time. */
  readonly width: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(width: number) {
    this.width = width;
  }

  async take<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running === this.width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await task();
    } finally {
      // The turn is handed on, unless nobody waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** Those of this process, or of a thread of it. */
export const deflateTurns = new DeflateTurns(widthFor(availableParallelism(), poolSize()));

/** @internal exported for its test */
export function widthFor(cores: number, pool: number): number {
  return Math.max(1, Math.min(cores, pool - 1));
}

function poolSize(): number {
  const size = Number(process.env.UV_THREADPOOL_SIZE);
  return Number.isInteger(size) && size > 0 ? size : DEFAULT_POOL;
}
