/**
 * Does work for each item, at most `width` at a time, begun in their order. After the first error the rest is aborted and waited for;
 * then that error is thrown.
 *
 * @param signal aborts all of it; what `fn` gets fires also on the error of another item
 */
export async function sideBySide<T, R>(
  items: readonly T[],
  { width, signal }: { readonly width: number; readonly signal?: AbortSignal | undefined },
  fn: (item: T, index: number, signal: AbortSignal) => Promise<R>,
): Promise<readonly R[]> {
  const failed = new AbortController();
  const both = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const results: R[] = [];
  let failure: { readonly error: unknown } | undefined;
  const queue = items.entries();
  const work = async () => {
    for (const [index, item] of queue) {
      if (failure !== undefined) return;
      try {
        results[index] = await fn(item, index, both);
      } catch (error) {
        failure ??= { error };
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  if (failure !== undefined) throw (failure as { error: unknown }).error;
  return results;
}
