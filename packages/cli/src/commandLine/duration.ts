import { InvalidArgumentError } from 'commander';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of a text such as `90m`, `1h30m`, `2d` or `0`; for options of commander.
 *
 * @throws {InvalidArgumentError}
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^(?:\d+[smhd])+$/.test(text)) {
    throw new InvalidArgumentError('It is a number with a unit: s, m, h or d, such as 90m or 2d.');
  }
  const parts = [...text.matchAll(/(\d+)([smhd])/g)];
  return parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNITS_MS[unit as string] as number),
    0,
  );
}
