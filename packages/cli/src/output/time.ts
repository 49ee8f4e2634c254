const STEPS = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 7],
  ['week', 4.348],
  ['month', 12],
  ['year', Number.POSITIVE_INFINITY],
] as const;

/**
 * How long ago a time of a record was: `3 minutes ago`. A time that was never set is a dash.
 *
 * @param time RFC 3339 text
 * @param now milliseconds since 1970
 */
export function formatAge(time: string, now: number): string {
  const then = Date.parse(time);
  if (Number.isNaN(then) || time.startsWith('0001-')) return '-';
  const seconds = Math.round((now - then) / 1000);
  if (Math.abs(seconds) < 1) return 'just now';
  const span = formatSpan(Math.abs(seconds));
  return seconds < 0 ? `in ${span}` : `${span} ago`;
}

function formatSpan(seconds: number): string {
  let amount = seconds;
  for (const [unit, size] of STEPS) {
    if (Math.floor(amount) < size)
      return `${Math.floor(amount)} ${unit}${Math.floor(amount) === 1 ? '' : 's'}`;
    amount /= size;
  }
  throw new RangeError(`no unit for ${seconds} seconds`);
}
