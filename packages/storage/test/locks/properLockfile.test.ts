import { existsSync, rmdirSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LockManager } from '../../src/locks/index.ts';
import { lockSuite } from './support/lockSuite.ts';
import { tempDir } from './support/tempDir.ts';
import { sleep } from './support/timing.ts';

describe('locks by proper-lockfile', () => {
  lockSuite('proper-lockfile');
});

describe('proper-lockfile alone', () => {
  const manager = new LockManager({ backend: 'proper-lockfile', onWarning: () => undefined, staleMs: 2000 });

  it('removes its directory when the lock is released', async () => {
    const lock = manager.lock(`${tempDir()}/x.lock`, { rank: 'leaf' });
    await lock.withRead(() => expect(existsSync(`${lock.path}.lock`)).toBe(true));
    expect(existsSync(`${lock.path}.lock`)).toBe(false);
  });

  it('stays held for longer than the stale time by a process that lives', async () => {
    const lock = manager.lock(`${tempDir()}/x.lock`, { rank: 'leaf' });
    await lock.withWrite(async () => {
      await sleep(2500);
      const age = Date.now() - (await import('node:fs')).statSync(`${lock.path}.lock`).mtimeMs;
      expect(age).toBeLessThan(2000);
    });
  });

  it('reports that the lock was lost while it was held', async () => {
    const lock = manager.lock(`${tempDir()}/x.lock`, { rank: 'leaf' });
    const lost = lock.withWrite(async () => {
      rmdirSync(`${lock.path}.lock`);
      await sleep(1500);
    });
    await expect(lost).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      facts: { path: lock.path },
      hint: expect.stringContaining('check the store'),
    });
  });

  it('refuses the token when another process took the lock over', async () => {
    const lock = manager.lock(`${tempDir()}/x.lock`, { rank: 'leaf' });
    const lost = lock.withWrite(async (guard) => {
      utimesSync(`${lock.path}.lock`, 1, 1);
      await sleep(1500);
      return guard.writeToken();
    });
    await expect(lost).rejects.toMatchObject({ code: 'LOCK_FAILED' });
    expect(await lock.withWrite((guard) => guard.readToken().length)).toBe(0);
  });
});
