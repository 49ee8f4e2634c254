import { describe, expect, it } from 'vitest';
import { formatImageSelector, parseImageSelector } from '../../src/references/imageSelector.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

describe('selectors', () => {
  it.each([
    ['localhost/a:1', { name: 'localhost/a:1' }],
    ['@12', { index: 12 }],
  ])('%s', (text, expected) => {
    expect(parseImageSelector(text)).toEqual(expected);
    expect(formatImageSelector(expected)).toBe(text);
  });

  it.each(['@', '@1x', '@-1', '@1.5', `@${'9'.repeat(20)}`])('%s is no position', async (text) => {
    expect(await storageErrorOf(() => parseImageSelector(text))).toMatchObject({ code: 'REFERENCE_INVALID' });
  });
});
