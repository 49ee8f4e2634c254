import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { spool } from '../../src/archives/spoolFile.ts';
import { scratch } from '../support/scratch.ts';

/** A host without /proc, where a file without a name cannot be opened again. */
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  existsSync: () => false,
}));

async function* chunks(...texts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text;
    yield Buffer.from(text);
  }
}

describe('a temporary copy on a host without /proc', () => {
  it('has a name until it is closed', async () => {
    const directory = scratch();
    const copy = await spool({ bytes: chunks('some ', 'bytes'), place: directory, what: 'x' });
    expect(readdirSync(directory)).toHaveLength(1);
    expect(copy.path.startsWith(directory)).toBe(true);
    expect(copy.size).toBe(10);
    expect(readFileSync(copy.path, 'utf8')).toBe('some bytes');
    expect(statSync(copy.path).mode & 0o777).toBe(0o600);
    await copy.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is removed when its bytes end in an error, or when it is aborted', async () => {
    const directory = scratch();
    const failing = spool({ bytes: chunks('some', new Error('broken')), place: directory, what: 'x' });
    await expect(failing).rejects.toThrow('broken');
    const signal = AbortSignal.abort(new Error('enough'));
    const aborted = spool({ bytes: chunks('some'), place: directory, what: 'x', signal });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    expect(readdirSync(directory)).toEqual([]);
  });
});
