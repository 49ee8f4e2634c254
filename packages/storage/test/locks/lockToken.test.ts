import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { newToken, readToken, writeToken } from '../../src/locks/lockToken.ts';
import { tempDir } from './support/tempDir.ts';

describe('tokens', () => {
  it('have the layout of upstream', () => {
    const before = BigInt(Date.now()) * 1_000_000n;
    const [first, second] = [newToken(), newToken()];
    expect(first).toHaveLength(64);
    expect(first.readBigUInt64LE(0)).toBeGreaterThanOrEqual(before);
    expect(first.readBigUInt64LE(0)).toBeLessThan(before + 60_000_000_000n);
    expect(second.readBigUInt64LE(8)).toBe(first.readBigUInt64LE(8) + 1n);
    expect(first.readUInt32LE(16)).toBe(process.pid);
    expect(first.subarray(20).equals(second.subarray(20))).toBe(false);
  });

  it('overwrite what is there and leave the rest alone', () => {
    const path = `${tempDir()}/x.lock`;
    writeFileSync(path, 'x'.repeat(70));
    const fd = openSync(path, 'r+');
    const token = writeToken(fd, path);
    expect(readToken(fd, path)).toEqual(token);
    expect(readFileSync(path).subarray(64).toString()).toBe('xxxxxx');
    closeSync(fd);
  });

  it('may be shorter in files that others made', () => {
    const path = `${tempDir()}/x.lock`;
    writeFileSync(path, 'short');
    const fd = openSync(path, 'r');
    expect(readToken(fd, path).toString()).toBe('short');
    expect(() => writeToken(fd, path)).toThrow(expect.objectContaining({ code: 'IO' }));
    closeSync(fd);
  });

  it.skipIf(process.platform !== 'linux')('tell a full disk', () => {
    const fd = openSync('/dev/full', 'r+');
    expect(() => writeToken(fd, '/dev/full')).toThrow(expect.objectContaining({ code: 'NO_SPACE' }));
    closeSync(fd);
  });
});
