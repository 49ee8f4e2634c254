import { describe, expect, it } from 'vitest';
import { isStorageError, StorageError, wrapSystemError } from '../src/index.ts';

describe('StorageError', () => {
  it('survives a trip through JSON', () => {
    const error = new StorageError('LAYER_UNKNOWN', 'layer "x": layer not known', {
      object: 'x',
      hint: 'list them',
    });
    const copy = StorageError.fromJSON(JSON.parse(JSON.stringify(error)));
    expect(copy).toEqual(error);
    expect(copy.facts).toEqual({ object: 'x' });
    expect(isStorageError(copy, 'LAYER_UNKNOWN')).toBe(true);
    expect(isStorageError(copy, 'IMAGE_UNKNOWN')).toBe(false);
  });

  it('tells full disks and missing permission apart from other system errors', () => {
    const system = (code: string) =>
      Object.assign(new Error(`${code}: boom`), { code, errno: -28, syscall: 'write', path: '/x' });
    expect(wrapSystemError(system('ENOSPC'), 'writing x')).toMatchObject({
      code: 'NO_SPACE',
      facts: { errno: 28, syscall: 'write', path: '/x', errnoCode: 'ENOSPC' },
    });
    expect(wrapSystemError(system('EACCES'), 'writing x').code).toBe('PERMISSION_DENIED');
    expect(wrapSystemError(system('EIO'), 'writing x').code).toBe('IO');
    expect(wrapSystemError(system('EIO'), 'writing x').hint).toMatch(/dmesg/);
    expect(wrapSystemError(system('EIO'), 'writing x', 'IO', { hint: 'stop' }).hint).toBe('stop');
    const own = new StorageError('ABORTED', 'stop');
    expect(wrapSystemError(own, 'writing x')).toBe(own);
  });
});
