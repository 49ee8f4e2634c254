import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTarArchive } from '../../src/archives/tarArchive.ts';
import { oneBlockHeader, tarHeader } from '../../src/destinations/tarEntryHeader.ts';
import { scratch } from '../support/scratch.ts';

const GIB = 2 ** 30;

/** An archive of one file and one entry behind it, of which no block was written but the headers. */
async function sizeRead(header: Buffer, size: number): Promise<unknown> {
  const path = join(scratch(), 'large.tar');
  const file = openSync(path, 'w');
  writeSync(file, header);
  const next = header.length + Math.ceil(size / 512) * 512;
  writeSync(file, tarHeader({ name: 'next', mode: 0o644, size: 0 }), 0, 512, next);
  ftruncateSync(file, next + 1536);
  closeSync(file);
  const archive = await openTarArchive(path);
  await archive.close();
  return archive.index.entries.map((entry) => [entry.path, entry.type, entry.size]);
}

describe.each([0, 1, 8 * GIB - 1, 8 * GIB, 20 * GIB + 5])('a file of %i bytes', (size) => {
  const entries = (name: string) => [
    [name, 'file', size],
    ['next', 'file', 0],
  ];

  it('is read as that when its header was written first', async () => {
    const header = tarHeader({ name: 'blobs/sha256/x', mode: 0o644, size });
    expect(header).toHaveLength(size < 8 * GIB ? 512 : 1536);
    expect(await sizeRead(header, size)).toEqual(entries('blobs/sha256/x'));
  });

  it('is read as that when its header was patched', async () => {
    const header = oneBlockHeader('blobs/sha256/x', 0o644, size);
    expect(header).toHaveLength(512);
    expect(await sizeRead(header, size)).toEqual(entries('blobs/sha256/x'));
  });
});

describe('a header', () => {
  it('with a long name has an extended one in front', () => {
    const header = tarHeader({ name: `${'x'.repeat(120)}/${'y'.repeat(200)}`, mode: 0o444, size: 3 });
    expect(header.length).toBeGreaterThan(1024);
    expect(header.toString('latin1', 156, 157)).toBe('x');
  });
});
