/** A scope that was entered, and stays so until it is released. */
export interface HeldScope<T> {
  readonly value: T;
  /** Lets the scope end, and waits until it has. May be called again. */
  release(): Promise<void>;
}

/**
 * Enters a scope that is given as a function around a function (such as a lock), and keeps it open after this
 * function has returned. `enter` must call what it is given, once.
 */
export async function holdScope<T>(
  enter: (inside: (value: T) => Promise<void>) => Promise<void>,
): Promise<HeldScope<T>> {
  return await new Promise((resolve, reject) => {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((settle) => {
      end = settle;
    });
    const scope = enter(async (value) => {
      resolve({
        value,
        release: async () => {
          end();
          await scope;
        },
      });
      await ended;
    });
    scope.catch(reject);
  });
}
