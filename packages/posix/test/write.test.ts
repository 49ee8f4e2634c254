import { describe, expect, it, vi } from 'vitest';
import { write } from '../src/index.ts';

/** What write(2) answers, call by call. */
const answers: number[] = [];
const calls: number[] = [];

vi.mock('../src/library.ts', async (original) => {
  const actual = await original<typeof import('../src/library.ts')>();
  const fake = (_fd: number, _address: number, length: number) => {
    calls.push(length);
    return answers.shift();
  };
  return {
    ...actual,
    cFunction: (name: string, binding: Parameters<typeof actual.cFunction>[1]) =>
      name === 'write' ? fake : actual.cFunction(name, binding),
  };
});

describe('write', () => {
  it('goes on where a short write ended', () => {
    answers.push(3, 4, 3);
    write(1, new Uint8Array(10));
    expect(calls.splice(0)).toEqual([10, 7, 3]);
  });

  it('does not try forever when nothing is taken', () => {
    answers.push(3, 0, 7);
    expect(() => write(1, new Uint8Array(10))).toThrow(
      expect.objectContaining({ code: 'EIO', errno: 5, syscall: 'write' }),
    );
    expect(calls.splice(0)).toEqual([10, 7]);
  });
});
