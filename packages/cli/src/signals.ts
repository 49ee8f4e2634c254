import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Within this time a signal may come twice by different ways: from a terminal or timeout(1), and from a parent. */
const SAME_SIGNAL_MS = 200;

/**
 * Turns the signals by which a person or a service manager ends a program into an abort, so that the
 * program can clean up. A second signal, given some time later, ends it at once.
 */
export class SignalWatch {
  readonly #controller = new AbortController();
  #received: number | undefined;
  #mustCleanUp = false;

  /** From here on until {@link stop}, signals do not end the process by themselves. */
  start(): void {
    for (const name of SIGNALS) process.on(name, this.#onSignal);
  }

  stop(): void {
    for (const name of SIGNALS) process.removeListener(name, this.#onSignal);
  }

  /** Aborted by the first signal. Until it was asked for there is nothing to abort: a signal then exits. */
  get signal(): AbortSignal {
    this.#mustCleanUp = true;
    return this.#controller.signal;
  }

  /** 128 plus the number of the signal that came, as shells report it; undefined if none came. */
  get exitStatus(): number | undefined {
    return this.#received === undefined ? undefined : 128 + this.#received;
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (this.#received !== undefined) return;
    this.#received = constants.signals[name];
    if (!this.#mustCleanUp) process.exit(this.exitStatus);
    setTimeout(() => this.stop(), SAME_SIGNAL_MS).unref();
    this.#controller.abort();
  };
}
