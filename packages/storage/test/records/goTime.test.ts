import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goTimeFromNs, goTimeToNs, isGoTime, nowGoTime, nowNs, ZERO_TIME } from '../../src/records/goTime.ts';

describe('isGoTime', () => {
  it.each([
    ZERO_TIME,
    '2026-11-21T07:02:48Z',
    '2026-11-21T07:02:48.54229985Z',
    '2026-11-21T07:02:48.5+02:00',
    '2026-11-21T23:59:59.999999999-23:59',
    '2024-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ])('accepts %s', (text) => expect(isGoTime(text)).toBe(true));

  it.each([
    '',
    '2026-11-21 07:02:48Z',
    '2026-11-21T07:02:48',
    '2026-11-21t07:02:48Z',
    '2026-11-21T07:02:48z',
    '2026-11-21T7:02:48Z',
    '2026-11-21T07:02:48,5Z',
    '2026-11-21T07:02:48.Z',
    '2026-11-21T07:02:48.1234567890Z',
    '2026-11-21T07:02:60Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T07:60:00Z',
    '2026-11-31T07:02:48Z',
    '2026-02-29T07:02:48Z',
    '1900-02-29T07:02:48Z',
    '2026-13-01T07:02:48Z',
    '2026-00-01T07:02:48Z',
    '2026-01-00T07:02:48Z',
    '2026-11-21T07:02:48+0200',
    '2026-11-21T07:02:48+24:00',
    '2026-11-21T07:02:48+02:60',
    '12026-11-21T07:02:48Z',
    '2026-11-21T07:02:48Z\n',
    1234,
    null,
  ])('refuses %j', (value) => expect(isGoTime(value)).toBe(false));
});

describe('goTimeToNs and goTimeFromNs', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['1970-01-01T00:00:00.000000001Z', 1n],
    ['1969-12-31T23:59:59.999999999Z', -1n],
    [ZERO_TIME, -62135596800000000000n],
    ['2026-11-21T07:02:48.54229985Z', 1795244568542299850n],
  ])('%s', (text, ns) => {
    expect(goTimeToNs(text)).toBe(ns);
    expect(goTimeFromNs(ns)).toBe(text);
  });

  it('take the zone into account', () => {
    expect(goTimeToNs('2026-11-21T01:30:00+02:00')).toBe(goTimeToNs('2026-11-20T23:30:00Z'));
    expect(goTimeToNs('2026-11-21T23:30:00-01:30')).toBe(goTimeToNs('2026-11-22T01:00:00Z'));
  });

  it('are each other’s inverse over all years that Go writes', () => {
    const years = fc.bigInt(goTimeToNs('0000-01-01T00:00:00Z'), goTimeToNs('9999-12-31T23:59:59.999999999Z'));
    fc.assert(
      fc.property(years, (ns) => {
        const text = goTimeFromNs(ns);
        expect(isGoTime(text)).toBe(true);
        expect(text).not.toMatch(/\.\d*0Z$/);
        expect(goTimeToNs(text)).toBe(ns);
      }),
    );
  });

  it('refuse what is no time', () => expect(() => goTimeToNs('yesterday')).toThrow(RangeError));
});

describe('nowGoTime', () => {
  it('is a UTC time with nanoseconds that agrees with the system clock', () => {
    const text = nowGoTime();
    expect(text).toMatch(/Z$/);
    const date = BigInt(execFileSync('/usr/bin/date', ['+%s%N'], { encoding: 'utf8' }).trim());
    const difference = Number(date - goTimeToNs(text)) / 1e9;
    expect(Math.abs(difference)).toBeLessThan(30);
  });

  it('differs at every call and never goes back', () => {
    const times = Array.from({ length: 10_000 }, () => nowNs());
    for (let i = 1; i < times.length; i++) expect((times[i] as bigint) > (times[i - 1] as bigint)).toBe(true);
  });

  it('has digits below the millisecond', () => {
    const fractions = Array.from({ length: 50 }, () => nowNs() % 1_000_000n);
    expect(new Set(fractions).size).toBeGreaterThan(1);
    expect(fractions.some((fraction) => fraction % 1000n !== 0n)).toBe(true);
  });
});
