import type { FileHandle } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { SyncBehind } from '../../src/destinations/syncBehind.ts';

const STEP = 16 * 1024 * 1024;

/** Notes what is asked of it; a `datasync` takes until the test ends it. */
class FakeFile {
  readonly calls: string[] = [];
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = [];

  async datasync(): Promise<void> {
    this.calls.push('datasync');
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async sync(): Promise<void> {
    this.calls.push('sync');
  }

  async endOne(error?: Error): Promise<void> {
    const one = this.#waiting.shift();
    if (error === undefined) one?.resolve();
    else one?.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function start() {
  const file = new FakeFile();
  return { file, synced: new SyncBehind(file as unknown as FileHandle) };
}

describe('SyncBehind', () => {
  it('syncs what is short once, at the end', async () => {
    const { file, synced } = start();
    synced.reached(STEP - 1);
    await synced.end();
    expect(file.calls).toEqual(['sync']);
  });

  it('syncs one step at a time, and what was written meanwhile with the next one', async () => {
    const { file, synced } = start();
    for (const position of [STEP, 2 * STEP, 3 * STEP]) synced.reached(position);
    expect(file.calls).toEqual(['datasync']);
    await file.endOne();
    synced.reached(2 * STEP - 1);
    expect(file.calls).toEqual(['datasync']);
    synced.reached(3 * STEP);
    expect(file.calls).toEqual(['datasync', 'datasync']);
  });

  it('syncs the whole when the last step has ended', async () => {
    const { file, synced } = start();
    synced.reached(STEP);
    const ended = synced.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(file.calls).toEqual(['datasync']);
    await file.endOne();
    await ended;
    expect(file.calls).toEqual(['datasync', 'sync']);
  });

  it('tells of a failed step at the end, though later ones succeed', async () => {
    const { file, synced } = start();
    const error = Object.assign(new Error('i/o error'), { code: 'EIO' });
    synced.reached(STEP);
    await file.endOne(error);
    synced.reached(2 * STEP);
    await file.endOne();
    await synced.settle();
    await expect(synced.end()).rejects.toBe(error);
    expect(file.calls).not.toContain('sync');
  });
});
