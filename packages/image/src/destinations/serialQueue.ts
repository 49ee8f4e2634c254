/** Runs tasks one after the other, in the order in which they were handed in. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();
  #unsettled = 0;

  /** Whether a task that is handed in now would have to wait. */
  get isBusy(): boolean {
    return this.#unsettled > 0;
  }

  /** Settles as the task does. A task that fails does not hinder those behind it. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#unsettled++;
    const result = this.#last.then(task).finally(() => this.#unsettled--);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
