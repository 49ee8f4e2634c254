import type { LockGuard } from './lockFile.ts';

type Mode = LockGuard['mode'];

interface Waiter {
  readonly mode: Mode;
  readonly admit: () => void;
}

/**
 * Who inside this process comes next: readers together or one writer, in order of arrival. A reader
 * waits behind a waiting writer, so that neither kind starves the other.
 */
export class LockQueue {
  readonly #mayJoin: () => boolean;
  readonly #waiting: Waiter[] = [];
  #readers = 0;
  #writing = false;

  /** @param mayJoin whether a reader may still join those who read now */
  constructor(mayJoin: () => boolean = () => true) {
    this.#mayJoin = mayJoin;
  }

  /** Waits for a turn; the caller ends it with {@link release}. Rejects with the signal's reason. */
  async acquire(mode: Mode, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.tryAcquire(mode)) return;
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason);
        // A reader may have waited behind the one that just left.
        this.#admitNext();
      };
      const waiter: Waiter = {
        mode,
        admit: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#waiting.push(waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Takes a turn if there is no need to wait. */
  tryAcquire(mode: Mode): boolean {
    if (this.#waiting.length > 0 || !this.#isFree(mode)) return false;
    this.#enter(mode);
    return true;
  }

  release(mode: Mode): void {
    if (mode === 'write') this.#writing = false;
    else this.#readers -= 1;
    this.#admitNext();
  }

  #isFree(mode: Mode): boolean {
    if (this.#writing) return false;
    if (this.#readers === 0) return true;
    return mode === 'read' && this.#mayJoin();
  }

  #enter(mode: Mode): void {
    if (mode === 'write') this.#writing = true;
    else this.#readers += 1;
  }

  #admitNext(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#isFree(next.mode);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#enter(next.mode);
      next.admit();
    }
  }
}
