import { describe, expect, it } from 'vitest';
import { FileHandover } from '../../src/unpack/split/fileHandover.ts';
import { SlotWriter } from '../../src/unpack/split/slotWriter.ts';
import { SplitDiff } from '../../src/unpack/split/splitDiff.ts';
import { SLOT_BYTES, SLOTS, SPLIT_MODE, SplitMemory } from '../../src/unpack/split/splitMemory.ts';

/** Both ends in one thread, which must not wait for itself. */
function newSplit() {
  const memory = new SplitMemory();
  const checkpoint = () => {
    throw new Error('would wait');
  };
  const diff = new SplitDiff({ memory, handover: new FileHandover(memory), checkpoint });
  return { memory, writer: new SlotWriter(memory, checkpoint), diff };
}

function writeInPlace(writer: SlotWriter, byte: number, most = SLOT_BYTES): number {
  const memory = writer.offer() as Buffer;
  const part = memory.subarray(0, most).fill(byte);
  expect(writer.write(part)).toBe(true);
  return part.length;
}

async function read(diff: SplitDiff): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of diff.chunks()) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('SlotWriter', () => {
  it('hands on what was written to the slot itself, and what is copied, in order', async () => {
    const { writer, diff } = newSplit();
    expect(writer.write(Buffer.alloc(1001, 1))).toBe(true);
    expect(writeInPlace(writer, 2)).toBe(SLOT_BYTES - 1001);
    expect(writeInPlace(writer, 3)).toBe(SLOT_BYTES);
    expect(writeInPlace(writer, 4, 77)).toBe(77);
    expect(writer.write(Buffer.alloc(SLOT_BYTES, 5))).toBe(true);
    writer.end({ type: 'digestOnly' });
    const wanted = [
      Buffer.alloc(1001, 1),
      Buffer.alloc(SLOT_BYTES - 1001, 2),
      Buffer.alloc(SLOT_BYTES, 3),
      Buffer.alloc(77, 4),
      Buffer.alloc(SLOT_BYTES, 5),
    ];
    expect((await read(diff)).equals(Buffer.concat(wanted))).toBe(true);
  });

  it('offers no slot that is in use', async () => {
    const { writer, diff, memory } = newSplit();
    for (let i = 0; i < SLOTS; i++) writeInPlace(writer, i);
    expect(() => writer.offer()).toThrow('would wait');
    const chunks = diff.chunks();
    const { value } = await chunks.next();
    expect(value).toEqual(Buffer.alloc(SLOT_BYTES, 0));
    expect(() => writer.offer()).toThrow('would wait');
    await chunks.next();
    expect(writer.offer()?.byteOffset).toBe(memory.contentAt(0));
  });

  it('offers nothing, and takes no more, when the consumer wants no more', () => {
    const { writer, memory } = newSplit();
    const offered = writer.offer() as Buffer;
    memory.setMode(SPLIT_MODE.digestOnly);
    expect(writer.write(offered)).toBe(false);
    expect(writer.offer()).toBeUndefined();
    expect(writer.write(Buffer.alloc(5))).toBe(false);
  });
});
