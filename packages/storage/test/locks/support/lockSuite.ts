import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import type { Warning } from '@sediment/core';
import { expect, it } from 'vitest';
import type { LockBackendName } from '../../../src/locks/index.ts';
import { type LockFile, LockManager } from '../../../src/locks/index.ts';
import { node } from './processes.ts';
import { tempDir } from './tempDir.ts';
import { gate, isPendingAfter, sleep } from './timing.ts';

/** After how long a dead holder is forgotten by backends that need to be told by time. */
const STALE_MS = 4000;
/** A hundredth of it is usual; the alternative is to wait for ever. */
const SOON_MS = 2000;

const HOLD = `
  await lockFor(args[0], args[1]).withWrite(async () => {
    print('held');
    await new Promise((resolve) => process.stdin.once('end', resolve).resume());
  });
  print('released');
`;

/** How many descriptors of this process are open on `path`. */
export function descriptorsOf(path: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch (error) {
      // the descriptor of this very listing
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  });
  return targets.filter((target) => target === path).length;
}

/** What every lock backend must do; run inside a `describe` of its own. */
export function lockSuite(backend: LockBackendName): void {
  const warnings: Warning[] = [];
  const manager = new LockManager({
    backend,
    onWarning: (warning) => warnings.push(warning),
    staleMs: STALE_MS,
  });
  const newLock = (): LockFile => manager.lock(`${tempDir()}/layers.lock`, { rank: 'layers' });

  it('lets readers of one process in together, over one descriptor', async () => {
    const lock = newLock();
    const end = gate();
    let inside = 0;
    const reader = () =>
      lock.withRead(async () => {
        inside += 1;
        await end.opened;
      });
    const readers = [reader(), reader(), reader()];
    while (inside < 3) await sleep(1);
    expect(descriptorsOf(lock.path)).toBe(1);
    end.open();
    await Promise.all(readers);
    expect(descriptorsOf(lock.path)).toBe(0);
  });

  it('lets one writer in at a time, in order of arrival, and readers not past a waiting writer', async () => {
    const lock = newLock();
    const events: string[] = [];
    const scope = (name: string) => async () => {
      events.push(`${name}+`);
      await sleep(5);
      events.push(`${name}-`);
    };
    await Promise.all([
      lock.withRead(scope('r1')),
      lock.withWrite(scope('w1')),
      lock.withRead(scope('r2')),
      lock.withWrite(scope('w2')),
    ]);
    expect(events).toEqual(['r1+', 'r1-', 'w1+', 'w1-', 'r2+', 'r2-', 'w2+', 'w2-']);
  });

  it('keeps other processes out and is kept out by them', async () => {
    const lock = newLock();
    const end = gate();
    const held = gate();
    const ours = lock.withWrite(async () => {
      held.open();
      await end.opened;
    });
    await held.opened;
    const child = await node(HOLD, lock.path, backend);
    expect(await isPendingAfter(child.printed('held'), 400)).toBe(true);
    end.open();
    await ours;
    await child.printed('held');
    const again = lock.withWrite(() => child.output);
    const read = lock.withRead(() => child.output);
    expect(await isPendingAfter(Promise.race([again, read]), 300)).toBe(true);
    child.process.stdin.end();
    expect(await again).toContain('held');
    expect(await read).toContain('held');
  });

  it('hands the token on to other processes', async () => {
    const lock = newLock();
    expect(await lock.withRead((guard) => guard.readToken().length)).toBe(0);
    const token = await lock.withWrite((guard) => guard.writeToken());
    expect(token).toHaveLength(64);
    expect(readFileSync(lock.path)).toEqual(token);
    const source = `
      const lock = lockFor(args[0], args[1]);
      print(await lock.withRead((guard) => guard.readToken().toString('hex')));
      await lock.withWrite((guard) => guard.writeToken());
    `;
    const child = await node(source, lock.path, backend);
    expect(await child.exited).toBe(0);
    expect(child.output).toBe(`${token.toString('hex')}\n`);
    const next = await lock.withRead((guard) => guard.readToken());
    expect(next).toHaveLength(64);
    expect(next.equals(token)).toBe(false);
  });

  it('makes a guard useless when its scope has ended, and a reader cannot write the token', async () => {
    const lock = newLock();
    const kept = await lock.withWrite((guard) => guard);
    expect(() => kept.readToken()).toThrow(TypeError);
    await expect(lock.withRead((guard) => guard.writeToken())).rejects.toThrow('held for reading');
  });

  it('passes on the error of a scope and releases the lock', async () => {
    const lock = newLock();
    await expect(lock.withWrite(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    await expect(
      lock.withRead(() => {
        throw new Error('also mine');
      }),
    ).rejects.toThrow('also mine');
    expect(await lock.tryWrite(() => 7)).toEqual({ acquired: true, value: 7 });
    expect(descriptorsOf(lock.path)).toBe(0);
  });

  it('only tries when asked to', async () => {
    const lock = newLock();
    const end = gate();
    const ours = lock.withRead(() => end.opened);
    expect(await lock.tryWrite(() => 1)).toEqual({ acquired: false });
    end.open();
    await ours;
    const child = await node(HOLD, lock.path, backend);
    await child.printed('held');
    expect(await lock.tryWrite(() => 2)).toEqual({ acquired: false });
    child.process.stdin.end();
    await child.exited;
    expect(await lock.tryWrite(() => 3)).toEqual({ acquired: true, value: 3 });
  });

  it('gives up within 100 ms when aborted, while others go on waiting', async () => {
    const lock = newLock();
    const child = await node(HOLD, lock.path, backend);
    await child.printed('held');
    const controller = new AbortController();
    const { signal } = controller;
    const leader = lock.withRead(() => 'leader', { signal });
    const follower = lock.withRead(() => 'follower');
    const queued = lock.withWrite(() => 'queued', { signal });
    await sleep(300);
    const start = performance.now();
    controller.abort(new Error('enough'));
    const failures = await Promise.allSettled([leader, queued]);
    expect(performance.now() - start).toBeLessThan(SOON_MS);
    for (const failure of failures) {
      expect(failure).toMatchObject({
        status: 'rejected',
        reason: { code: 'ABORTED', cause: signal.reason },
      });
    }
    expect(await isPendingAfter(follower, 50)).toBe(true);
    child.process.stdin.end();
    expect(await follower).toBe('follower');
    expect(await lock.withWrite(() => descriptorsOf(lock.path))).toBe(1);
    await expect(lock.withWrite(() => 1, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(descriptorsOf(lock.path)).toBe(0);
  });

  it('closes the file when the only waiter gives up', async () => {
    const lock = newLock();
    const child = await node(HOLD, lock.path, backend);
    await child.printed('held');
    const signal = AbortSignal.timeout(50);
    await expect(lock.withWrite(() => 1, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(descriptorsOf(lock.path)).toBe(0);
  });

  it('lets the process exit within 100 ms while another process holds the lock', async () => {
    const lock = newLock();
    const end = gate();
    const held = gate();
    const ours = lock.withWrite(async () => {
      held.open();
      await end.opened;
    });
    await held.opened;
    const source = `
      for (let i = 0; i < 8; i++) lockFor(args[0], args[1]).withWrite(() => print('never'));
      await sleep(700);
      print(String(Date.now()));
      process.exit(3);
    `;
    const child = await node(source, lock.path, backend);
    const code = await child.exited;
    const ended = Date.now();
    expect(code).toBe(3);
    expect(child.output).not.toContain('never');
    expect(ended - Number(child.output)).toBeLessThan(SOON_MS);
    end.open();
    await ours;
  });

  it('loses no change of a file that two processes count up', async () => {
    const lock = newLock();
    const counter = `${lock.path}.counter`;
    writeFileSync(counter, '0');
    const source = `
      const { readFileSync, writeFileSync } = await import('node:fs');
      const lock = lockFor(args[0], args[1]);
      for (let i = 0; i < 100; i++) {
        await lock.withWrite(() => writeFileSync(args[2], String(Number(readFileSync(args[2], 'utf8')) + 1)));
      }
    `;
    const children = [
      await node(source, lock.path, backend, counter),
      await node(source, lock.path, backend, counter),
    ];
    const ours = Array.from({ length: 100 }, () =>
      lock.withWrite(async () => {
        const value = Number(readFileSync(counter, 'utf8'));
        await sleep(0);
        writeFileSync(counter, String(value + 1));
      }),
    );
    await Promise.all(ours);
    expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0]);
    expect(readFileSync(counter, 'utf8')).toBe('300');
  });

  it('is freed by the death of its holder', async () => {
    const lock = newLock();
    const child = await node(HOLD, lock.path, backend);
    await child.printed('held');
    const waiting = lock.withWrite(() => 'mine');
    expect(await isPendingAfter(waiting, 200)).toBe(true);
    child.process.kill('SIGKILL');
    expect(await waiting).toBe('mine');
  });

  it(backend === 'fcntl' ? 'does not warn' : 'warns once that podman is not kept out', () => {
    const expected = backend === 'fcntl' ? [] : [expect.objectContaining({ code: 'LOCK_FALLBACK' })];
    expect(warnings).toEqual(expected);
  });
}
