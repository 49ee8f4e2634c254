const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Go's time that is none. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** Whether a text is a time in the form of RFC 3339, as Go reads it. */
export function isTime(text: string): boolean {
  const seconds = RFC3339.exec(text)?.[1];
  if (seconds === undefined) return false;
  const date = new Date(`${seconds}Z`);
  // A day that the month does not have would silently become one of the next month.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(seconds);
}

/** A time as Go prints it: with at most nine digits of fraction and without trailing zeros. */
export function goTime(text: string): string {
  const [, seconds, fraction = '', zone] = RFC3339.exec(text) as RegExpExecArray;
  const digits = fraction.slice(0, 9).replace(/0+$/, '');
  return `${seconds}${digits === '' ? '' : `.${digits}`}${zone?.endsWith('00:00') ? 'Z' : zone}`;
}
