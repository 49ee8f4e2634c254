import type { Blobs } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { findBlob } from '../../src/commandLine/findBlob.ts';

const DIGESTS = ['aaa1', 'aaa2', 'bbb3'].map((begin) => `sha256:${begin.padEnd(64, '0')}`);
const blobs = { list: async () => DIGESTS.map((digest) => ({ digest })) } as unknown as Blobs;

describe('findBlob', () => {
  it.each([
    ['a full digest, kept or not', `sha256:${'9'.repeat(64)}`, `sha256:${'9'.repeat(64)}`],
    ['the beginning of one', 'bbb', DIGESTS[2]],
    ['the beginning with its algorithm', 'sha256:aaa2', DIGESTS[1]],
    ['the digits alone', 'bbb3'.padEnd(64, '0'), DIGESTS[2]],
  ])('takes %s', async (_, text, digest) => {
    expect(await findBlob(blobs, text)).toBe(digest);
  });

  it.each([
    ['several', 'aaa', '2 digests begin like that'],
    ['none', 'ccc', 'blob not known'],
    ['too short a text', 'bb', 'blob not known'],
    ['no digest at all', '../x', 'blob not known'],
  ])('refuses what means %s', async (_, text, message) => {
    await expect(findBlob(blobs, text)).rejects.toMatchObject({
      code: 'BLOB_UNKNOWN',
      message: `${text}: ${message}`,
    });
  });
});
