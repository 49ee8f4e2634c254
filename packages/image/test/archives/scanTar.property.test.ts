import { open } from 'node:fs/promises';
import { StorageError } from '@sediment/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanTar } from '../../src/archives/scanTar.ts';
import { cleanTarPath, type TarIndex } from '../../src/archives/tarIndex.ts';
import { scratchFile } from '../support/scratch.ts';
import { type TarInput, tarBytes } from '../support/tarBytes.ts';

async function scan(bytes: Uint8Array): Promise<TarIndex> {
  const path = scratchFile(bytes);
  await using file = await open(path);
  return await scanTar({ file, size: bytes.length, location: path });
}

const segment = fc.stringMatching(/^[a-zA-Z0-9._ü-]{1,60}$/).filter((text) => !/^\.+$/.test(text));
const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const entry: fc.Arbitrary<TarInput> = fc.record({
  path,
  data: fc.uint8Array({ maxLength: 1500 }),
  form: fc.constantFrom('pax', 'gnu'),
});
const archive = fc.array(entry, { minLength: 1, maxLength: 8 });

describe('the tar index, of any archive', () => {
  it('finds each entry at its place', async () => {
    await fc.assert(
      fc.asyncProperty(archive, async (entries) => {
        const bytes = tarBytes(entries);
        const index = await scan(bytes);
        expect(index.entries.map((found) => found.path)).toEqual(
          entries.map((each) => cleanTarPath(each.path)),
        );
        for (const [i, { offset, size }] of index.entries.entries()) {
          expect(bytes.subarray(offset, offset + size)).toEqual(Buffer.from(entries[i]?.data as Uint8Array));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('ends in an index inside the file or in a StorageError when bytes are changed or cut', async () => {
    const damage = fc.record({
      entries: archive,
      changes: fc.array(
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })),
        { maxLength: 6 },
      ),
      keep: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ entries, changes, keep }) => {
        const bytes = tarBytes(entries);
        for (const [at, value] of changes) bytes[Math.floor(at * (bytes.length - 1))] = value;
        const cut = bytes.subarray(0, Math.ceil(keep * bytes.length));
        await expectSound(cut);
      }),
      { numRuns: 400 },
    );
  });

  it('ends so for headers of any content, too', async () => {
    const block = fc.uint8Array({ minLength: 512, maxLength: 512 });
    await fc.assert(
      fc.asyncProperty(fc.array(block, { maxLength: 4 }), async (blocks) => {
        // With a right checksum, so that the fields are looked at.
        for (const each of blocks) {
          each.fill(32, 148, 156);
          const sum = each.reduce((total, byte) => total + byte, 0);
          each.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
        }
        await expectSound(Buffer.concat(blocks));
      }),
      { numRuns: 300 },
    );
  });
});

async function expectSound(bytes: Uint8Array): Promise<void> {
  try {
    const { entries } = await scan(bytes);
    for (const { offset, size } of entries) {
      expect(size).toBeGreaterThanOrEqual(0);
      expect(offset + size).toBeLessThanOrEqual(bytes.length);
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    expect(['SOURCE_UNRECOGNIZED', 'ARCHIVE_INVALID', 'TAR_TRUNCATED']).toContain(error.code);
  }
}
