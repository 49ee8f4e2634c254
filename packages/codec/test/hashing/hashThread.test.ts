import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Digest, newHasher } from '@sediment/core';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { HashThread, hashInThread } from '../../src/hashing/hashThread.ts';
import { SharedBlocks } from '../../src/hashing/sharedBlocks.ts';
import { verified } from '../../src/index.ts';

function digestOf(data: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  const hasher = newHasher(algorithm);
  hasher.update(data);
  return hasher.digest();
}

describe('HashThread', () => {
  it('computes digests of pieces of any size, one stream after the other, though buffers are used again', async () => {
    const thread = new HashThread();
    for (const algorithm of ['sha256', 'sha512', 'sha256'] as const) {
      const data = randomBytes(5_000_000);
      const hasher = thread.begin(algorithm);
      expect(thread.isFree).toBe(false);
      const chunk = Buffer.alloc(2_000_000);
      let position = 0;
      for (const size of [1, 0, 524_288, 524_289, 2_000_000, 1_500_000, data.length]) {
        const length = data.copy(chunk, 0, position, Math.min(position + size, data.length));
        await hasher.update(chunk.subarray(0, length));
        chunk.fill(0);
        position += length;
      }
      expect(position).toBe(data.length);
      expect(await hasher.digest()).toBe(digestOf(data, algorithm));
      expect(thread.isFree).toBe(true);
    }
  });

  it('reads shared blocks where they are, of several memories, and holds them until then', async () => {
    const thread = new HashThread();
    const data = randomBytes(3_000_000);
    const pools = [new SharedBlocks(2), new SharedBlocks(1)];
    const hasher = thread.begin('sha256');
    let position = 0;
    for (let turn = 0; position < data.length; turn++) {
      const pool = pools[turn % 2] as SharedBlocks;
      await pool.room();
      const block = pool.take();
      const length = data.copy(block, 0, position, position + 200_000 + turn);
      await hasher.update(block.subarray(0, length));
      pool.release(block);
      position += length;
      await hasher.update(data.subarray(position, position + 10));
      position += 10;
    }
    expect(await hasher.digest()).toBe(digestOf(data));
    expect(pools.every((pool) => pool.isUnused)).toBe(true);
  });

  it('releases shared blocks when it ends, whatever became of them', async () => {
    const thread = new HashThread();
    await thread.begin('sha256').digest();
    while (thread.isAlive) await sleep(20);
    const pool = new SharedBlocks(1);
    const block = pool.take();
    await expect(thread.begin('sha256').update(block)).rejects.toThrow('the hashing thread ended');
    pool.release(block);
    expect(pool.isUnused).toBe(true);
  });

  it('begins anew after a stream that was left', async () => {
    const thread = new HashThread();
    const left = thread.begin('sha256');
    await left.update(randomBytes(3_000_000));
    left.abandon();
    const hasher = thread.begin('sha256');
    await hasher.update(Buffer.from('whole'));
    expect(await hasher.digest()).toBe(digestOf(Buffer.from('whole')));
    left.abandon();
  });

  it('comes to the end of a digest that was asked for', async () => {
    const thread = new HashThread();
    const left = thread.begin('sha256');
    const digest = left.digest();
    left.abandon();
    expect(thread.isFree).toBe(false);
    expect(await digest).toBe(digestOf(Buffer.alloc(0)));
    expect(thread.isFree).toBe(true);
  });

  it('ends soon after its work', async () => {
    const thread = new HashThread();
    expect(await thread.begin('sha256').digest()).toBe(digestOf(Buffer.alloc(0)));
    expect(thread.isAlive).toBe(true);
    while (thread.isAlive) await sleep(20);
    await expect(thread.begin('sha256').update(Buffer.alloc(1))).rejects.toThrow('the hashing thread ended');
  });

  it('is given to one stream at a time', () => {
    const first = hashInThread('sha256');
    const second = hashInThread('sha256');
    expect(second).toBeUndefined();
    first?.abandon();
    const third = hashInThread('sha256');
    expect(third === undefined).toBe(first === undefined);
    third?.abandon();
  });

  it('stays with its stream, whatever one does that has ended', async () => {
    const first = hashInThread('sha256');
    await first?.digest();
    const second = hashInThread('sha256');
    first?.abandon();
    expect(hashInThread('sha256')).toBeUndefined();
    await second?.update(Buffer.from('abc'));
    expect(await second?.digest()).toBe(second === undefined ? undefined : digestOf(Buffer.from('abc')));
  });
});

/** A program that imports `HashThread`, `hashInThread` and `verified`, as a process of its own. */
async function runProgram(contents: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'sediment-hash-thread-'));
  try {
    const outfile = join(directory, 'program.mjs');
    const source = (name: string) =>
      JSON.stringify(fileURLToPath(new URL(`../../src/${name}`, import.meta.url)));
    const imports = `import { HashThread, hashInThread } from ${source('hashing/hashThread.ts')};
      import { verified } from ${source('verified.ts')};`;
    const stdin = { contents: imports + contents, resolveDir: directory, loader: 'js' as const };
    const options = { bundle: true, platform: 'node', format: 'esm', outfile } as const;
    await build({ stdin, conditions: ['sediment-source'], ...options });
    const { stdout, stderr, status } = spawnSync(process.execPath, [...args, outfile], {
      timeout: 30_000,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    return { stdout: stdout.trim(), stderr, status };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a process with a HashThread', () => {
  const EMPTY = digestOf(Buffer.alloc(0));

  it('ends, even when a stream is forgotten', async () => {
    const result = await runProgram(`
      const thread = new HashThread();
      console.log(await thread.begin('sha256').digest());
      await thread.begin('sha256').update(Buffer.alloc(5_000_000));`);
    expect(result).toEqual({ status: 0, stdout: EMPTY, stderr: '' });
  });

  it.skipIf(availableParallelism() < 2)(
    'gets the thread back from a stream that was half read and forgotten',
    async () => {
      const result = await runProgram(
        `
      import { setTimeout as sleep } from 'node:timers/promises';
      const thread = new HashThread();
      async function* source() {
        for (;;) yield Buffer.alloc(1_000_000);
      }
      async function forget() {
        await thread.begin('sha256').update(Buffer.alloc(5_000_000));
        const digest = 'sha256:' + '0'.repeat(64);
        await verified(source(), { digest, size: 9_000_000, what: 'a blob' }).next();
      }
      await forget();
      console.log(thread.isFree, hashInThread('sha256') !== undefined);
      let other;
      while (!thread.isFree || other === undefined) {
        await sleep(5);
        gc();
        other ??= hashInThread('sha256');
      }
      console.log(await thread.begin('sha256').digest(), await other.digest());`,
        ['--expose-gc'],
      );
      expect(result).toEqual({ status: 0, stdout: `false false\n${EMPTY} ${EMPTY}`, stderr: '' });
    },
  );

  it('hashes itself when the thread cannot open what it needs', async () => {
    const result = await runProgram(`
      import { closeSync, openSync } from 'node:fs';
      const fds = [];
      try {
        for (;;) fds.push(openSync('/dev/null', 'r'));
      } catch (error) {
        if (error.code !== 'EMFILE') throw error;
      }
      for (const fd of fds.slice(0, 2)) closeSync(fd);
      const thread = new HashThread();
      const hasher = thread.begin('sha256');
      for (let i = 0; i < 10; i++) await hasher.update(Buffer.alloc(500_000, i));
      for (const fd of fds.slice(2)) closeSync(fd);
      console.log(thread.isAlive, await hasher.digest());`);
    const data = Buffer.concat(Array.from({ length: 10 }, (_, i) => Buffer.alloc(500_000, i)));
    expect(result).toEqual({ status: 0, stdout: `false ${digestOf(data)}`, stderr: '' });
  });

  it('loads what NODE_OPTIONS names once, and not in the thread', async () => {
    const preload = 'data:text/javascript,console.log("loaded")';
    const program = `console.log(await new HashThread().begin('sha256').digest());`;
    const result = await runProgram(program, [], { NODE_OPTIONS: `--import=${encodeURI(preload)}` });
    expect(result).toEqual({ status: 0, stdout: `loaded\n${EMPTY}`, stderr: '' });
  });
});

describe('verified, of a long stream', () => {
  const data = randomBytes(9_000_000);
  async function* source() {
    for (let start = 0; start < data.length; start += 700_000) yield data.subarray(start, start + 700_000);
  }
  const read = async (digest: Digest, size = data.length) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of verified(source(), { digest, size, what: 'a blob' })) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  it('refuses another digest, another size, and lets the right ones pass', async () => {
    expect((await read(digestOf(data))).equals(data)).toBe(true);
    await expect(read(digestOf(Buffer.from('x')))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await expect(read(digestOf(data), data.length - 1)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    await expect(read(digestOf(data), data.length + 1)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    for await (const _ of verified(source(), { digest: digestOf(data), size: data.length, what: 'left' }))
      break;
    const both = await Promise.all([read(digestOf(data)), read(digestOf(data))]);
    expect(both.every((bytes) => bytes.equals(data))).toBe(true);
  });
});
