import { randomBytes } from 'node:crypto';
import { type Digest, digestOf } from '@sediment/core';
import { describe, expect, it, vi } from 'vitest';
import { hashInThread } from '../../src/hashing/hashThread.ts';
import { verified } from '../../src/index.ts';

const started = vi.fn();

vi.mock('node:worker_threads', async (original) => ({
  ...(await original<typeof import('node:worker_threads')>()),
  Worker: class {
    constructor() {
      started();
      // What Node throws when the system gives it no thread (EAGAIN).
      const message = 'Worker initialization failure: EAGAIN';
      throw Object.assign(new Error(message), { code: 'ERR_WORKER_INIT_FAILED' });
    }
  },
}));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => 2,
}));

describe('where no thread can be started', () => {
  it('the caller hashes', async () => {
    expect(hashInThread('sha256')).toBeUndefined();
    expect(started).toHaveBeenCalledTimes(1);
    const data = randomBytes(9_000_000);
    async function* source() {
      for (let start = 0; start < data.length; start += 700_000) yield data.subarray(start, start + 700_000);
    }
    const read = async (digest: Digest) => {
      const chunks: Uint8Array[] = [];
      const want = { digest, size: data.length, what: 'a blob' };
      for await (const chunk of verified(source(), want)) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    expect((await read(digestOf(data))).equals(data)).toBe(true);
    await expect(read(digestOf('other'))).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect(started).toHaveBeenCalledTimes(3);
  });
});
