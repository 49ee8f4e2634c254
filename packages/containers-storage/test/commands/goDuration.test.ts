import { expect, it } from 'vitest';
import { parseGoDuration } from '../../src/commands/goDuration.ts';
import { CommandError } from '../../src/errors/commandError.ts';

it.each([
  ['0', 0],
  ['+0', 0],
  ['24h', 86_400_000],
  ['1h30m', 5_400_000],
  ['1m0.5s', 60_500],
  ['.5s', 500],
  ['5.s', 5000],
  ['1us', 0.001],
  ['2µs', 0.002],
  ['-1.5h', -5_400_000],
])('reads %s as Go does', (text, milliseconds) => {
  expect(parseGoDuration(text)).toBeCloseTo(milliseconds, 9);
});

it.each([
  ['', 'time: invalid duration ""'],
  ['-', 'time: invalid duration "-"'],
  ['soon', 'time: invalid duration "soon"'],
  ['.s', 'time: invalid duration ".s"'],
  ['1h 2m', 'time: unknown unit "h " in duration "1h 2m"'],
  ['5', 'time: missing unit in duration "5"'],
  ['1h5', 'time: missing unit in duration "1h5"'],
  ['3d', 'time: unknown unit "d" in duration "3d"'],
  ['9999999h', 'time: invalid duration "9999999h"'],
  ['a"b', 'time: invalid duration "a\\"b"'],
])('refuses %j in the words of Go', (text, message) => {
  expect(() => parseGoDuration(text)).toThrow(new CommandError(message));
});
