import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ofdQueryLock, ofdTryLock, ofdUnlock } from '../src/index.ts';
import { pythonUntilReady } from './support/run.ts';
import { isLinux, tempDir } from './support/tempDir.ts';

const HOLD_POSIX = `
import fcntl, sys
file = open(sys.argv[1], 'r+')
fcntl.lockf(file, fcntl.LOCK_SH if sys.argv[2] == 'read' else fcntl.LOCK_EX)
print('held', flush=True)
sys.stdin.read()
`;

const HOLD_OFD = `
import fcntl, struct, sys
file = open(sys.argv[1], 'r+')
kind = fcntl.F_RDLCK if sys.argv[2] == 'read' else fcntl.F_WRLCK
fcntl.fcntl(file, 38, struct.pack('hhqqi4x', kind, 0, 0, 0, 0))
print('held', flush=True)
sys.stdin.read()
`;

/** Whether another process could take a POSIX lock now. */
function othersCanLock(path: string, mode: 'read' | 'write'): boolean {
  const how = mode === 'read' ? 'LOCK_SH' : 'LOCK_EX';
  const source = `import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+'), fcntl.${how} | fcntl.LOCK_NB)`;
  const { status, stderr } = spawnSync('python3', ['-c', source, path], { encoding: 'utf8' });
  if (status !== 0 && !stderr.includes('BlockingIOError')) throw new Error(stderr);
  return status === 0;
}

describe.skipIf(!isLinux)('OFD locks (needs Linux)', () => {
  it.each([
    ['POSIX', HOLD_POSIX],
    ['OFD', HOLD_OFD],
  ])('is kept out by the %s lock of another process', async (_, source) => {
    const path = `${tempDir()}/lock`;
    const fd = openSync(path, 'w+');
    const writer = await pythonUntilReady(source, path, 'write');
    expect(ofdTryLock(fd, 'write')).toBe(false);
    expect(ofdTryLock(fd, 'read')).toBe(false);
    expect(ofdQueryLock(fd, 'read')).toBe('write');
    writer.stdin?.end();
    await new Promise((resolve) => writer.once('exit', resolve));
    await pythonUntilReady(source, path, 'read');
    expect(ofdTryLock(fd, 'write')).toBe(false);
    expect(ofdTryLock(fd, 'read')).toBe(true);
    closeSync(fd);
  });

  it('keeps the POSIX locks of another process out', () => {
    const path = `${tempDir()}/lock`;
    const fd = openSync(path, 'w+');
    expect(ofdTryLock(fd, 'write')).toBe(true);
    expect(othersCanLock(path, 'read')).toBe(false);
    expect(ofdTryLock(fd, 'read')).toBe(true);
    expect(othersCanLock(path, 'read')).toBe(true);
    expect(othersCanLock(path, 'write')).toBe(false);
    ofdUnlock(fd);
    expect(othersCanLock(path, 'write')).toBe(true);
    closeSync(fd);
  });

  it('excludes between descriptors of one process, and closing one does not free the other', () => {
    const path = `${tempDir()}/lock`;
    const holder = openSync(path, 'w+');
    const other = openSync(path, 'r+');
    expect(ofdTryLock(holder, 'write')).toBe(true);
    expect(ofdTryLock(other, 'read')).toBe(false);
    closeSync(other);
    expect(othersCanLock(path, 'read')).toBe(false);
    closeSync(holder);
    expect(othersCanLock(path, 'read')).toBe(true);
  });

  it('needs a descriptor open for what is locked', () => {
    const path = `${tempDir()}/lock`;
    closeSync(openSync(path, 'w'));
    const fd = openSync(path, 'r');
    expect(() => ofdTryLock(fd, 'write')).toThrow('EBADF');
    expect(ofdTryLock(fd, 'read')).toBe(true);
    closeSync(fd);
  });
});
