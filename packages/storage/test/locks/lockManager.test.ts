import { describe, expect, it } from 'vitest';
import { LockManager } from '../../src/locks/index.ts';
import { tempDir } from './support/tempDir.ts';

const onWarning = () => undefined;
const manager = new LockManager({ backend: 'fcntl', onWarning });

describe('LockManager', () => {
  it('has one object for a path, whoever asks and however it is spelled', () => {
    const dir = tempDir();
    const lock = manager.lock(`${dir}/a.lock`, { rank: 'layers' });
    const other = new LockManager({ backend: 'fcntl', onWarning });
    expect(other.lock(`${dir}/x/../a.lock`, { rank: 'layers' })).toBe(lock);
    expect(lock).toMatchObject({ path: `${dir}/a.lock`, rank: 'layers', readOnly: false });
  });

  it('refuses to take a path once for reading only and once for both', () => {
    const dir = tempDir();
    const both = manager.lock(`${dir}/rw.lock`, { rank: 'layers' });
    const reading = manager.lock(`${dir}/ro.lock`, { rank: 'layers', readOnly: true });
    expect(() => manager.lock(both.path, { rank: 'layers', readOnly: true })).toThrow(
      expect.objectContaining({
        code: 'LOCK_FAILED',
        message: `lock "${both.path}" is not a read-only lock`,
      }),
    );
    expect(() => manager.lock(reading.path, { rank: 'layers' })).toThrow(
      `lock "${reading.path}" is not a read-write lock`,
    );
  });

  it('refuses another rank and another backend for a path', () => {
    const lock = manager.lock(`${tempDir()}/a.lock`, { rank: 'layers' });
    expect(() => manager.lock(lock.path, { rank: 'images' })).toThrow(TypeError);
    const other = new LockManager({ backend: 'proper-lockfile', onWarning });
    expect(() => other.lock(lock.path, { rank: 'layers' })).toThrow('in use by way of fcntl');
    expect(() => manager.lock('/x', { rank: 'nothing' as never })).toThrow(TypeError);
  });

  it('never writes under a read-only lock', async () => {
    const lock = manager.lock(`${tempDir()}/a.lock`, { rank: 'layers', readOnly: true });
    const readOnly = { code: 'STORE_READ_ONLY', facts: { path: lock.path } };
    await expect(lock.withWrite(() => 1)).rejects.toMatchObject(readOnly);
    await expect(lock.tryWrite(() => 1)).rejects.toMatchObject(readOnly);
  });
});
