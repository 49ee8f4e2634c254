const SHORTEST_TIMER_MS = 1;

/**
 * Waits without blocking; for less than a timer can do by turns of the event loop. Keeps the process
 * alive for that time only.
 *
 * @throws the signal's reason, at once when it is aborted
 */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (milliseconds >= SHORTEST_TIMER_MS) return await sleep(milliseconds, signal);
  const end = performance.now() + milliseconds;
  do {
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  } while (performance.now() < end);
}

async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
