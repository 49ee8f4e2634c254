import type { UnpackPool } from './unpackPool.ts';

/** The pool of a store: its code is loaded when it is needed, or ahead of that. */
export class LazyUnpackPool {
  #pool: Promise<UnpackPool> | undefined;

  get(): Promise<UnpackPool> {
    this.#pool ??= import('./unpackPool.ts').then(({ UnpackPool }) => new UnpackPool());
    return this.#pool;
  }

  /** Starts the threads, which takes as long as opening a store does. Whoever needs them is told if that fails. */
  prepare(): void {
    this.get().then(
      (pool) => pool.prepare(),
      () => undefined,
    );
  }

  /** Ends all threads; does nothing if there are none. */
  async close(): Promise<void> {
    await (await this.#pool)?.close();
  }
}
