import { describe, expect, it } from 'vitest';
import { errorText } from '../../src/errors/errorText.ts';
import { withPath } from '../../src/errors/withPath.ts';

const systemError = (facts: object): Error => Object.assign(new Error('failed'), facts);

describe('withPath', () => {
  it('names the file of a call that had a descriptor only', () => {
    const error = systemError({ code: 'ENOSPC', syscall: 'write' });
    expect(errorText(withPath(error, '/dev/full'))).toBe('write /dev/full: no space left on device');
  });

  it('leaves the name that is there, and errors of other kinds', () => {
    const error = systemError({ code: 'EIO', syscall: 'open', path: '/there' });
    expect(errorText(withPath(error, '/other'))).toBe('open /there: input/output error');
    expect(withPath(new Error('other'), '/x')).not.toHaveProperty('path');
    expect(withPath('text', '/x')).toBe('text');
  });
});
