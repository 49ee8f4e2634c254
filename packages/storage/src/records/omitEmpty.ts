/** Go's `omitempty`: `undefined` in place of `""`, `0`, and arrays and objects without content. */
export function omitEmpty<T>(value: T | undefined): T | undefined {
  if (value === undefined || value === '' || value === 0) return undefined;
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return undefined;
  return value;
}
