import { setTimeout } from 'node:timers/promises';
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

  it('has a second object for a path that is also that of an additional store; they exclude each other', async () => {
    const path = `${tempDir()}/a.lock`;
    const own = manager.lock(path, { rank: 'layers' });
    const additional = manager.lock(path, { rank: 'layers', readOnly: true });
    expect(additional).not.toBe(own);
    const log: string[] = [];
    const writing = own.withWrite(async () => {
      await setTimeout(50);
      log.push('written');
    });
    await setTimeout(10);
    await additional.withRead(() => log.push('read'));
    await writing;
    expect(log).toEqual(['written', 'read']);
    const both = own.withWrite(() => additional.withRead(() => 1));
    await expect(both).rejects.toMatchObject({ code: 'LOCK_ORDER' });
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
