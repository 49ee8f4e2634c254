import { type HeldScope, holdScope } from './heldScope.ts';

/** Long enough for a reader that is merely slow, short enough for those who wait for it. */
const IDLE_MS = 500;

/**
 * A scope (such as a lock) for work that somebody else asks for, piece by piece: it is entered for a piece, kept
 * for the next one, and left when that does not come soon. Whoever forgets about the work, or waits in the
 * middle of it for something that needs the lock, then keeps nobody waiting.
 */
export class IdleScope {
  readonly #enter: (inside: () => Promise<void>) => Promise<void>;
  #held: HeldScope<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #left: Promise<void> = Promise.resolve();
  #isUsed = false;
  /** When the last piece ended, in milliseconds. */
  #lastUse = 0;

  /** @param enter see {@link holdScope}; called whenever the scope has to be entered again */
  constructor(enter: (inside: () => Promise<void>) => Promise<void>) {
    this.#enter = enter;
  }

  /** Runs a piece of the work inside of the scope; one at a time. */
  async use<T>(fn: () => Promise<T> | T): Promise<T> {
    this.#isUsed = true;
    try {
      await this.#left;
      this.#held ??= await holdScope<void>((inside) => this.#enter(() => inside()));
      return await fn();
    } finally {
      this.#isUsed = false;
      this.#lastUse = performance.now();
      if (this.#held !== undefined) this.#timer ??= setTimeout(() => this.#look(), IDLE_MS);
    }
  }

  /** Leaves the scope, if it was entered. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const held = this.#held;
    this.#held = undefined;
    await this.#left;
    await held?.release();
  }

  /** Pieces are many, so that none of them sets the clock. A failure is told to whoever comes next. */
  #look(): void {
    const rest = this.#isUsed ? IDLE_MS : this.#lastUse + IDLE_MS - performance.now();
    if (rest > 0) {
      this.#timer = setTimeout(() => this.#look(), rest);
      return;
    }
    const left = this.end();
    left.catch(() => undefined);
    this.#left = left;
  }
}

/** The same bytes, each piece of which is made inside of the scope. */
export async function* madeInside<T>(
  scope: IdleScope,
  source: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await scope.use(() => iterator.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}
