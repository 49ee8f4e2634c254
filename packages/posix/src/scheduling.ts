import { cFunction } from './library.ts';
import { checked } from './posixError.ts';

const SCHED_FIFO = 1;
/** Policies of ordinary threads: SCHED_OTHER, SCHED_BATCH, SCHED_IDLE. */
const ORDINARY = new Set([0, 3, 5]);
const LOWEST_REALTIME_PRIORITY = 1;

/** By number: musl has these functions, but they always fail there. */
const c = {
  get: cFunction<[number]>('sched_getscheduler', {
    parameters: ['int'],
    syscall: { x64: 145, arm64: 120 },
    symbol: false,
  }),
  set: cFunction<[number, number, Buffer]>('sched_setscheduler', {
    parameters: ['int', 'int', 'void *'],
    syscall: { x64: 144, arm64: 119 },
    symbol: false,
  }),
  usleep: cFunction<[number]>('usleep', { parameters: ['uint32_t'] }),
};

let refused = false;

/**
 * Runs a synchronous function with the calling thread at the lowest real-time priority, where it may have
 * that (CAP_SYS_NICE or RLIMIT_RTPRIO), else as it is. Only for a few milliseconds: ordinary threads do not
 * run on this core meanwhile.
 */
export function withRealtimePriority<T>(fn: () => T): T {
  const policy = refused ? -1 : c.get(0);
  if (!ORDINARY.has(policy)) return fn();
  if (c.set(0, SCHED_FIFO, parameter(LOWEST_REALTIME_PRIORITY)) < 0) {
    refused = true;
    return fn();
  }
  try {
    return fn();
  } finally {
    checked(c.set(0, policy, parameter(0)), 'sched_setscheduler');
  }
}

function parameter(priority: number): Buffer {
  const struct = Buffer.alloc(4);
  struct.writeInt32LE(priority, 0);
  return struct;
}

/** Blocks the calling thread for some microseconds (below a second), at least for what its timer slack is. */
export function sleepMicroseconds(microseconds: number): void {
  checked(c.usleep(microseconds), 'usleep');
}
