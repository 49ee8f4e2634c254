import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { sqliteMisfit } from '../../src/index.ts';

it.each([
  ['12.11.1', '20.19.0', true],
  ['12.11.1', '22.23.3', true],
  ['12.11.1', '24.21.0', false],
  ['12.11.1', '26.0.0', false],
  ['13.2.0', '20.20.2', false],
  ['13.2.0', '22.23.3', true],
  ['13.2.0', '24.21.0', true],
])('better-sqlite3 %s may be loaded by Node.js %s: %s', (version, node, isFit) => {
  expect(sqliteMisfit(version, node) === undefined).toBe(isFit);
  if (!isFit)
    expect(sqliteMisfit(version, node)).toMatch(/^Node.js 2\d\S+ needs version 1[23], and this is 1[23]/);
});

it('that is installed here may be loaded', () => {
  const { version } = createRequire(import.meta.url)('better-sqlite3/package.json') as { version: string };
  expect(sqliteMisfit(version)).toBeUndefined();
});
