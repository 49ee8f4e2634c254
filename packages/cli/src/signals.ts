import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turns the signals by which a person or a service manager ends a program into an abort, so that the
 * program can clean up. A second signal ends it at once.
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
    this.#received = constants.signals[name];
    this.stop();
    if (!this.#mustCleanUp) process.exit(this.exitStatus);
    this.#controller.abort();
  };
}
