import { describe, expect, it } from 'vitest';
import { randomId } from '../../src/records/randomId.ts';

describe('randomId', () => {
  it('is 64 lower-case hex digits, and its short form no number', () => {
    const ids = Array.from({ length: 20_000 }, () => randomId());
    for (const id of ids) expect(id).toMatch(/^(?!\d{12})[0-9a-f]{64}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is drawn again while it is in use', () => {
    const refused: string[] = [];
    const id = randomId((candidate) => refused.length < 3 && refused.push(candidate) > 0);
    expect(refused).toHaveLength(3);
    expect(refused).not.toContain(id);
  });
});
