import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, WARNING_CODES } from '../src/index.ts';

const document = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const rows = new Map(
  [...document.matchAll(/^\| `([A-Z_]+)` \| (.+?) \|(.*)$/gm)].map(([, code, meaning, rest]) => [
    code,
    { meaning, rest },
  ]),
);

describe('docs/errors.md', () => {
  it('has every code, with its meaning, and no other', () => {
    const table = { ...ERROR_CODES, ...WARNING_CODES };
    expect(Object.fromEntries([...rows].map(([code, { meaning }]) => [code, meaning]))).toEqual(table);
  });

  it('says for every error what to do', () => {
    for (const code of Object.keys(ERROR_CODES)) expect(rows.get(code)?.rest, code).toMatch(/\w{3}/);
  });
});
