import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assembleTar } from '@sediment/codec';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WriteBehind } from '../../src/destinations/writeBehind.ts';

let directory = '';
let file: FileHandle;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sediment-write-behind-'));
  file = await open(join(directory, 'file'), 'wx+');
});

afterEach(async () => {
  await file.close();
  rmSync(directory, { recursive: true });
});

const written = () => readFileSync(join(directory, 'file'));

/** A file whose writes from one position on fail. */
function failingFrom(position: number): FileHandle {
  const write = async (bytes: Buffer, offset: number, length: number, at: number) => {
    if (at >= position) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    return await file.write(bytes, offset, length, at);
  };
  return { write, truncate: (length: number) => file.truncate(length) } as unknown as FileHandle;
}

/** In chunks that lie where threads share memory, and that are used again. */
function inSharedBlocks(payload: Buffer): AsyncIterable<Uint8Array> {
  return assembleTar([[{ type: 'segment', payload, position: 0 }]], () => {
    throw new Error('there are no files');
  });
}

describe('WriteBehind', () => {
  it('writes pieces of any size in their order, though their buffers are used again', async () => {
    const output = new WriteBehind(file);
    const data = randomBytes(3_000_000);
    const chunk = Buffer.alloc(700_000);
    let position = 0;
    for (const size of [1, 511, 512, 0, 700_000, 65_536, 524_288, 524_287, 700_000, 3]) {
      data.copy(chunk, 0, position, position + size);
      await output.write(chunk.subarray(0, size));
      chunk.fill(0);
      position += size;
      expect(output.position).toBe(position);
    }
    await output.flush();
    expect(written().equals(data.subarray(0, position))).toBe(true);
  });

  it('writes shared blocks where they are, and no other bytes than those that it was given', async () => {
    const output = new WriteBehind(file);
    const data = randomBytes(6_000_000);
    await output.write(Buffer.from('head'));
    for await (const chunk of inSharedBlocks(data)) {
      await output.write(chunk);
      await output.write(Buffer.from('-'));
    }
    await output.flush();
    const expected: Buffer[] = [Buffer.from('head')];
    for (let start = 0; start < data.length; start += 524_288) {
      expected.push(data.subarray(start, start + 524_288), Buffer.from('-'));
    }
    expect(written().equals(Buffer.concat(expected))).toBe(true);
  });

  it('lets go of shared blocks that it cannot write', async () => {
    const output = new WriteBehind(failingFrom(1_000_000));
    let failures = 0;
    for await (const chunk of inSharedBlocks(Buffer.alloc(9_000_000))) {
      await output.write(chunk).catch(() => {
        failures++;
      });
    }
    expect(failures).toBeGreaterThan(10);
    await output.settle();
  });

  it('patches, truncates and goes on', async () => {
    const output = new WriteBehind(file);
    const data = randomBytes(1_500_000);
    await output.write(data);
    await output.patch(10, Buffer.from('patched'));
    data.write('patched', 10);
    await output.write(Buffer.from('forgotten'));
    await output.truncate(data.length + 3);
    await output.write(Buffer.from('end'));
    expect(output.position).toBe(data.length + 6);
    await output.flush();
    expect(written().equals(Buffer.concat([data, Buffer.from('forend')]))).toBe(true);
    await output.truncate(5);
    await output.write(Buffer.from('x'));
    await output.flush();
    expect(written().equals(Buffer.concat([data.subarray(0, 5), Buffer.from('x')]))).toBe(true);
  });

  it('tells of a failure later, and never goes on behind a gap', async () => {
    const output = new WriteBehind(failingFrom(1_000_000));
    const data = Buffer.alloc(2_000_000, 1);
    await expect(output.write(data).then(() => output.flush())).rejects.toThrow('no room');
    await expect(output.write(data)).rejects.toThrow('no room');
    await expect(output.truncate(1_900_000)).rejects.toThrow('no room');
    await expect(output.flush()).rejects.toThrow('no room');
    await output.settle();
  });

  it('forgets a failure with the bytes that it was about', async () => {
    const output = new WriteBehind(failingFrom(1_000_000));
    await output.write(Buffer.alloc(600_000, 1));
    await expect(output.write(Buffer.alloc(2_000_000, 2)).then(() => output.flush())).rejects.toThrow();
    await output.truncate(600_000);
    await output.write(Buffer.from('end'));
    await output.flush();
    expect(written().subarray(600_000).toString()).toBe('end');
    expect(
      written()
        .subarray(0, 600_000)
        .every((byte) => byte === 1),
    ).toBe(true);
  });
});
