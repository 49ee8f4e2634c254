/** When one of several tasks that run side by side may do what must be done in their order. */
export interface Turn {
  /** Settles when all tasks before have said that they are done with theirs. */
  readonly come: Promise<void>;
  /** Call in any case, also where there was nothing to do. May be called again. */
  done(): void;
}

/** A turn for each of `count` tasks, which must begin in their order. */
export function takeTurns(count: number): readonly Turn[] {
  let before = Promise.resolve();
  return Array.from({ length: count }, () => {
    const come = before;
    const { promise, resolve } = newPromise();
    before = come.then(() => promise);
    return { come, done: resolve };
  });
}

function newPromise(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve() };
}
