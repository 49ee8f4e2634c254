import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { errnoName, errnoNumber, isPosixError, PosixError } from '../src/index.ts';

describe('PosixError', () => {
  it.skipIf(process.platform !== 'linux')('has the numbers of this system', () => {
    const aliases = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP' } as Record<string, string>;
    for (const [name, number] of Object.entries(constants.errno)) {
      expect(errnoName(number)).toBe(aliases[name] ?? name);
      expect(errnoNumber(aliases[name] ?? name)).toBe(number);
    }
  });

  it('has a name for unknown numbers', () => {
    expect(new PosixError({ errno: 999, syscall: 'x' }).message).toBe('E999: unknown error, x');
    expect(errnoNumber('ENOSUCH')).toBeUndefined();
  });

  it('is recognised with and without a code', () => {
    const error = new PosixError({ errno: 13, syscall: 'openat', path: Buffer.from([0x61, 0x80]) });
    expect(error).toMatchObject({ code: 'EACCES', errno: 13, path: 'a\\x80' });
    expect([isPosixError(error), isPosixError(error, 'EACCES'), isPosixError(error, 'EPERM')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isPosixError(new Error('x'))).toBe(false);
  });
});
