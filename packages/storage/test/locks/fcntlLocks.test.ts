import { spawnSync } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { capabilities, ofdTryLock } from '@sediment/posix';
import { describe, expect, it } from 'vitest';
import { LockManager } from '../../src/locks/index.ts';
import { openLockFile } from '../../src/locks/openLockFile.ts';
import { lockSuite } from './support/lockSuite.ts';
import { Child, nodeProgram, python } from './support/processes.ts';
import { tempDir } from './support/tempDir.ts';
import { gate, isPendingAfter, sleep } from './support/timing.ts';

const hasOfdLocks = capabilities().ofdLocks;
const hasStrace = spawnSync('strace', ['-V']).status === 0;
const manager = new LockManager({ backend: 'fcntl', onWarning: () => undefined });

function newLock() {
  return manager.lock(`${tempDir()}/layers.lock`, { rank: 'layers' });
}

const HOLD = `
import fcntl, sys
file = open(sys.argv[1], 'a+')
fcntl.lockf(file, fcntl.LOCK_SH if sys.argv[2] == 'read' else fcntl.LOCK_EX)
print('held')
sys.stdin.read()
`;

/** Holds the lock for some time and takes it again at once, for ever. */
const RELOCK = `
import fcntl, sys, time
file = open(sys.argv[1], 'a+')
hold = float(sys.argv[2])
fcntl.lockf(file, fcntl.LOCK_EX)
print('held')
while True:
    time.sleep(hold)
    fcntl.lockf(file, fcntl.LOCK_UN)
    fcntl.lockf(file, fcntl.LOCK_EX)
`;

describe.skipIf(!hasOfdLocks)('locks by fcntl (needs OFD locks)', () => {
  lockSuite('fcntl');
});

describe.skipIf(!hasOfdLocks)('fcntl locks and programs with POSIX locks (need OFD locks)', () => {
  it('waits for a writer that waits in F_SETLKW, and the other way round', async () => {
    const lock = newLock();
    const end = gate();
    const ours = lock.withWrite(() => end.opened);
    await sleep(20);
    const child = python(HOLD, lock.path, 'write');
    expect(await isPendingAfter(child.printed('held'), 500)).toBe(true);
    end.open();
    await ours;
    await child.printed('held');
    const next = lock.withRead(() => 'read');
    expect(await isPendingAfter(next, 200)).toBe(true);
    child.process.stdin.end();
    expect(await next).toBe('read');
  });

  it('reads beside their readers, and writes when they have left', async () => {
    const lock = newLock();
    const child = python(HOLD, lock.path, 'read');
    await child.printed('held');
    expect(await lock.withRead(() => 'read')).toBe('read');
    const writer = lock.withWrite(() => 'written');
    expect(await isPendingAfter(writer, 200)).toBe(true);
    child.process.stdin.end();
    expect(await writer).toBe('written');
  });

  it.each([0.001, 0.02, 0.25])(
    'is not starved for 5 s by one that relocks at once after %f s',
    async (hold) => {
      const lock = newLock();
      const child = python(RELOCK, lock.path, String(hold));
      await child.printed('held');
      const start = performance.now();
      await lock.withWrite(() => undefined);
      expect(performance.now() - start).toBeLessThan(5000);
    },
  );

  it('lets one in that waits while this process locks again and again', async () => {
    const lock = newLock();
    let child: ReturnType<typeof python> | undefined;
    const deadline = performance.now() + 20_000;
    for (let rounds = 0; child?.output !== 'held\n' && performance.now() < deadline; rounds += 1) {
      await lock.withWrite(() => sleep(1));
      child ??= python(HOLD, lock.path, 'write');
      if (rounds % 50 === 0) child.process.stdin.end();
    }
    expect(child?.output).toBe('held\n');
  });

  it('lets a writer in that waits while readers of this process overlap all the time', async () => {
    const lock = newLock();
    let child: ReturnType<typeof python> | undefined;
    const deadline = performance.now() + 20_000;
    const reader = async (): Promise<void> => {
      while (child?.output !== 'held\n' && performance.now() < deadline) {
        await lock.withRead(() => sleep(20));
        child ??= python(HOLD, lock.path, 'write');
        child.process.stdin.end();
      }
    };
    const readers = [];
    for (let i = 0; i < 4; i += 1) {
      readers.push(reader());
      await sleep(5);
    }
    await Promise.all(readers);
    expect(child?.output).toBe('held\n');
  });

  it('is never kept by a child that was just forked', async () => {
    const lock = newLock();
    // spawns without a pause, so that there is nearly always a child between fork and exec
    const spawner = `const { spawnSync } = require('node:child_process');
      for (;;) spawnSync('/bin/true');`;
    const workers = [1, 2].map(() => new Worker(spawner, { eval: true }));
    let kept = 0;
    for (const end = performance.now() + 3000; performance.now() < end; ) {
      await lock.withWrite(() => undefined);
      const fd = openLockFile(lock.path, false);
      if (!ofdTryLock(fd, 'write')) kept += 1;
      closeSync(fd);
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
    expect(kept).toBe(0);
  });

  it.skipIf(!hasStrace)('never waits in the kernel (needs strace)', async () => {
    const trace = `${tempDir()}/trace`;
    const lock = newLock();
    const holder = python(HOLD, lock.path, 'write');
    await holder.printed('held');
    const program = await nodeProgram('await lockFor(args[0]).withWrite(() => 1);');
    const strace = ['-f', '-e', 'trace=fcntl', '-o', trace, process.execPath, program, lock.path];
    const child = new Child('strace', strace);
    expect(await isPendingAfter(child.exited, 1500)).toBe(true);
    holder.process.stdin.end();
    expect(await child.exited).toBe(0);
    const calls = readFileSync(trace, 'utf8').split('\n');
    const lockCalls = calls.filter((call) => call.includes('l_type=F_WRLCK'));
    expect(lockCalls.length).toBeGreaterThan(10);
    expect(lockCalls.filter((call) => !call.includes('F_OFD_SETLK,'))).toEqual([]);
    expect(calls.some((call) => call.includes('l_type=F_UNLCK'))).toBe(true);
  });
});
