import { CommandError } from '../errors/commandError.ts';
import { goQuote } from '../output/goQuote.ts';

const MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Durations are 64-bit numbers of nanoseconds. */
const LONGEST = 2 ** 63 / 1e6;

/**
 * Milliseconds of a duration as Go writes it: `1h30m`, `-2.5s`, `0`.
 *
 * @throws {CommandError} with the text of Go's `time.ParseDuration`
 */
export function parseGoDuration(text: string): number {
  const quoted = goQuote(text);
  const [, sign = '', amount = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (amount === '0') return 0;
  const invalid = () => new CommandError(`time: invalid duration ${quoted}`);
  if (amount === '') throw invalid();
  let total = 0;
  for (let rest = amount; rest !== ''; ) {
    const [whole, number = '', unit = ''] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? [];
    if (whole === undefined) throw invalid();
    if (unit === '') throw new CommandError(`time: missing unit in duration ${quoted}`);
    const factor = MILLISECONDS[unit];
    if (factor === undefined) {
      throw new CommandError(`time: unknown unit ${goQuote(unit)} in duration ${quoted}`);
    }
    total += Number(number) * factor;
    rest = rest.slice(whole.length);
  }
  if (total >= LONGEST) throw invalid();
  return sign === '-' ? -total : total;
}
