import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, holdShared, SharedBlocks } from '../../src/hashing/sharedBlocks.ts';

describe('SharedBlocks', () => {
  it('gives each block to one, until it is released', () => {
    const blocks = new SharedBlocks(2);
    const [first, second] = [blocks.take(), blocks.take()];
    expect([first.length, second.length]).toEqual([BLOCK_BYTES, BLOCK_BYTES]);
    first.fill(1);
    second.fill(2);
    expect(first.every((byte) => byte === 1)).toBe(true);
    expect(() => blocks.take()).toThrow(RangeError);
    blocks.release(second);
    expect(blocks.take().byteOffset).toBe(second.byteOffset);
  });

  it('waits for a block until all that hold it have released it', async () => {
    const blocks = new SharedBlocks(1);
    await blocks.room();
    const block = blocks.take();
    const release = holdShared(block.subarray(10, 20));
    let hasRoom = false;
    const room = blocks.room().then(() => {
      hasRoom = true;
    });
    blocks.release(block);
    await new Promise((resolve) => setImmediate(resolve));
    expect([hasRoom, blocks.isUnused]).toEqual([false, false]);
    release?.();
    await room;
    expect(blocks.isUnused).toBe(true);
  });

  it('does not hold what lies elsewhere', () => {
    expect(holdShared(Buffer.alloc(10))).toBeUndefined();
    expect(holdShared(new Uint8Array(new SharedArrayBuffer(10)))).toBeUndefined();
  });
});
