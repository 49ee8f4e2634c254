import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LockQueue } from '../../src/locks/lockQueue.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('LockQueue', () => {
  it('lets readers past a waiting writer that gave up', async () => {
    const queue = new LockQueue();
    const controller = new AbortController();
    const events: string[] = [];
    await queue.acquire('read');
    const writer = queue.acquire('write', controller.signal).catch(() => events.push('gave up'));
    const reader = queue.acquire('read').then(() => events.push('read'));
    await settle();
    expect(events).toEqual([]);
    controller.abort();
    await Promise.all([writer, reader]);
    expect(events.sort()).toEqual(['gave up', 'read']);
  });

  it('does not take a turn for a signal that comes too late', async () => {
    const queue = new LockQueue();
    const controller = new AbortController();
    await queue.acquire('write', controller.signal);
    controller.abort();
    expect(queue.tryAcquire('read')).toBe(false);
    queue.release('write');
    expect(queue.tryAcquire('read')).toBe(true);
  });

  it('admits waiting readers together, but nobody to readers that should come to an end', async () => {
    let mayJoin = true;
    const queue = new LockQueue(() => mayJoin);
    await queue.acquire('read');
    mayJoin = false;
    expect(queue.tryAcquire('read')).toBe(false);
    let inside = 0;
    const waiting = [1, 2, 3].map(() => queue.acquire('read').then(() => inside++));
    await settle();
    expect(inside).toBe(0);
    mayJoin = true;
    queue.release('read');
    await Promise.all(waiting);
    expect(inside).toBe(3);
  });

  it('never mixes writers with anyone, and forgets nobody (property)', async () => {
    const step = fc.record({ write: fc.boolean(), turns: fc.nat(3), abortAfter: fc.option(fc.nat(4)) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const queue = new LockQueue();
        let readers = 0;
        let writers = 0;
        const run = async ({ write, turns, abortAfter }: (typeof steps)[number]): Promise<void> => {
          const mode = write ? 'write' : 'read';
          const controller = new AbortController();
          const abort = async (): Promise<void> => {
            for (let i = 0; i < (abortAfter ?? 0); i += 1) await settle();
            if (abortAfter !== null) controller.abort();
          };
          void abort();
          try {
            await queue.acquire(mode, controller.signal);
          } catch (error) {
            expect(controller.signal.reason).toBe(error);
            return;
          }
          if (write) writers += 1;
          else readers += 1;
          expect(writers === 0 || (writers === 1 && readers === 0)).toBe(true);
          for (let i = 0; i < turns; i += 1) await settle();
          if (write) writers -= 1;
          else readers -= 1;
          queue.release(mode);
        };
        await Promise.all(steps.map(run));
        expect(queue.tryAcquire('write')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
