import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterAll, expect, it } from 'vitest';
import { BlobReader } from '../../src/unpack/blobReader.ts';
import { testDirectory } from './unpackHelper.ts';

const temp = testDirectory('blob-reader');
afterAll(() => temp.remove());

const content = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251));
const path = join(temp.path, 'blob');
writeFileSync(path, content);

function open(): BlobReader {
  const blob = { path, offset: 5, length: 2_900_000 };
  return new BlobReader(blob, { what: 'layer 1', algorithm: 'sha256' });
}

const wanted = content.subarray(5, 2_900_005);

it('reads into the memory that is offered, from the next block on', async () => {
  const reader = open();
  const offers = [1000, undefined, 600_000].map((n) => (n === undefined ? n : Buffer.alloc(n)));
  const rest = [...offers];
  const blocks: Buffer[] = [];
  const offered: boolean[] = [];
  for await (const block of reader.blocks()) {
    blocks.push(Buffer.from(block));
    offered.push(offers.some((offer) => offer?.buffer === block.buffer));
    reader.readInto(() => rest.shift());
  }
  expect(blocks.map(({ length }) => length)).toEqual([1_048_576, 1000, 1_048_576, 600_000, 201_848]);
  expect(offered).toEqual([false, true, false, true, false]);
  expect(Buffer.concat(blocks).equals(wanted)).toBe(true);
  expect(await reader.digest()).toBe(digestOf(wanted));
  reader.close();
});

it('takes no memory of others for bytes that only the digest needs', async () => {
  const reader = open();
  reader.readInto(() => {
    throw new Error('asked');
  });
  expect(await reader.digest()).toBe(digestOf(wanted));
  expect(reader.size).toBe(wanted.length);
  reader.close();
});
