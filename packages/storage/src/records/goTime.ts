/**
 * Times of the record files: RFC 3339 text as Go's `time.Time` reads and writes it. JavaScript's
 * `Date` cannot hold nanoseconds or the zone, so a time stays the text it was read as.
 */

/** What Go writes for a time that was never set. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;
const NS_PER_SECOND = 1_000_000_000n;
/** A wall clock that differs by more than this from ours was stepped. */
const CLOCK_STEP_NS = 5_000_000n;

interface TimeParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly fraction: string;
  readonly offsetMinutes: number;
}

/**
 * Whether every Go program reads `text` as a time. As strict as Go's marshaller: capital `T` and
 * `Z`, two-digit fields within their ranges, no leap second, at most nine digits of fraction (older
 * releases fail on more), a zone offset below 24 hours.
 */
export function isGoTime(text: unknown): text is string {
  return typeof text === 'string' && parseParts(text) !== undefined;
}

/**
 * Nanoseconds since 1970 of a time text, for comparing and for ages.
 *
 * @throws {RangeError} when `text` is not a time (see {@link isGoTime})
 */
export function goTimeToNs(text: string): bigint {
  const parts = parseParts(text);
  if (parts === undefined) throw new RangeError(`${JSON.stringify(text)} is not an RFC 3339 time`);
  const date = new Date(0);
  date.setUTCFullYear(parts.year, parts.month - 1, parts.day);
  date.setUTCHours(parts.hour, parts.minute - parts.offsetMinutes, parts.second);
  return BigInt(date.getTime()) * 1_000_000n + BigInt(parts.fraction.padEnd(9, '0'));
}

/** The UTC text of a time in nanoseconds since 1970, trailing zeros of the fraction trimmed as Go does. */
export function goTimeFromNs(ns: bigint): string {
  const fraction = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const milliseconds = Number((ns - fraction) / 1_000_000n);
  const seconds = new Date(milliseconds).toISOString().slice(0, 19);
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`;
}

/** The time now as text. Two calls in one process never give the same text. */
export function nowGoTime(): string {
  return goTimeFromNs(nowNs());
}

let anchorNs = 0n;
let lastNs = 0n;

/**
 * Nanoseconds since 1970, distinct at every call. Node's wall clock counts milliseconds only, so its
 * reading is carried on by the monotonic clock, and taken anew when the wall clock was set.
 */
export function nowNs(): bigint {
  const { wall, monotonic } = readClocks();
  const drift = anchorNs + monotonic - wall;
  if (drift < -CLOCK_STEP_NS || drift > CLOCK_STEP_NS) {
    anchorNs = wall - monotonic;
    lastNs = 0n;
  }
  const now = anchorNs + monotonic;
  lastNs = now > lastNs ? now : lastNs + 1n;
  return lastNs;
}

/** Both clocks at one moment: a process that was held up between them would take that for a clock that was set. */
function readClocks(): { readonly wall: bigint; readonly monotonic: bigint } {
  for (;;) {
    const before = process.hrtime.bigint();
    const wall = BigInt(Date.now()) * 1_000_000n;
    const monotonic = process.hrtime.bigint();
    if (monotonic - before < CLOCK_STEP_NS / 2n) return { wall, monotonic };
  }
}

function parseParts(text: string): TimeParts | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [fraction = '', sign, zoneHour = '0', zoneMinute = '0'] = match.slice(7);
  const inRange =
    month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60;
  if (!inRange || second >= 60 || Number(zoneHour) >= 24 || Number(zoneMinute) >= 60) return undefined;
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  return { year, month, day, hour, minute, second, fraction, offsetMinutes: offset };
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return leap ? 29 : 28;
}
