import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { atomicWrite } from '../../src/records/atomicWrite.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sediment-atomic-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('atomicWrite', () => {
  it.each([true, false])('replaces the content and returns the time stamp (sync: %s)', async (sync) => {
    const path = join(directory, 'layers.json');
    writeFileSync(path, 'something longer than the new content');
    const before = statSync(path).ino;
    const mtimeNs = await atomicWrite(path, '[]', { sync });
    const stat = statSync(path, { bigint: true });
    expect(readFileSync(path, 'utf8')).toBe('[]');
    expect(stat.mtimeNs).toBe(mtimeNs);
    expect(Number(stat.ino)).not.toBe(before);
    expect(readdirSync(directory)).toEqual(['layers.json']);
  });

  it('gives mode 0600 whatever the umask and the old mode', async () => {
    const path = join(directory, 'images.json');
    writeFileSync(path, '');
    chmodSync(path, 0o644);
    const umask = process.umask(0o777);
    try {
      await atomicWrite(path, new Uint8Array([1, 2]), { sync: true });
    } finally {
      process.umask(umask);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect([...readFileSync(path)]).toEqual([1, 2]);
  });

  it('leaves old content and no temporary file when the rename fails', async () => {
    const path = join(directory, 'target');
    // A directory that is not empty cannot be replaced by a file.
    mkdirSync(join(path, 'inside'), { recursive: true });
    const error: unknown = await atomicWrite(path, 'x', { sync: true }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'IO', facts: { path, syscall: 'rename' } });
    expect(readdirSync(directory)).toEqual(['target']);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'leaves the old content when the disk is full (needs root)',
    async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
      try {
        const path = join(directory, 'layers.json');
        await atomicWrite(path, 'old', { sync: true });
        const error: unknown = await atomicWrite(path, 'x'.repeat(100_000), { sync: true }).catch(
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({ code: 'NO_SPACE', facts: { path, errnoCode: 'ENOSPC' } });
        expect(readFileSync(path, 'utf8')).toBe('old');
        expect(readdirSync(directory)).toEqual(['layers.json']);
      } finally {
        execFileSync('umount', [directory]);
      }
    },
  );

  it('names the file when the directory is missing', async () => {
    const path = join(directory, 'none/layers.json');
    await expect(atomicWrite(path, 'x', { sync: true })).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(JSON.stringify(path)),
      facts: { path, errnoCode: 'ENOENT' },
    });
  });

  it('lets readers see the old or the new content, never a part', async () => {
    const path = join(directory, 'big');
    const contents = ['a', 'b'].map((char) => char.repeat(200_000));
    await atomicWrite(path, contents[0] as string, { sync: false });
    let writing = true;
    const writer = (async () => {
      for (let i = 1; i <= 40; i++) await atomicWrite(path, contents[i % 2] as string, { sync: false });
      writing = false;
    })();
    while (writing) {
      expect(contents).toContain(readFileSync(path, 'utf8'));
      await new Promise(setImmediate);
    }
    await writer;
  });
});
