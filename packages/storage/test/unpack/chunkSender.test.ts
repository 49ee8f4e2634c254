import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ChunkSender } from '../../src/unpack/chunkSender.ts';
import type { OpenBytes } from '../../src/unpack/unpackJob.ts';
import type { ChunkMessage } from '../../src/unpack/workerProtocol.ts';

const MIB = 1024 * 1024;
const WINDOW = 4 * MIB;

/** A sender whose other end is read by the test. */
function senderOf(source: OpenBytes) {
  const errors: unknown[] = [];
  const messages: ChunkMessage[] = [];
  const sender = new ChunkSender({ source, onError: (error) => errors.push(error) });
  sender.port.on('message', (message: ChunkMessage) => messages.push(message));
  return { sender, errors, messages };
}

describe('ChunkSender', () => {
  it('reads no further than its window while the other end uses nothing up', async () => {
    let pulled = 0;
    const { sender, messages } = senderOf(async function* () {
      for (; pulled < 100 * MIB; pulled += MIB) yield new Uint8Array(MIB);
    });
    const running = sender.run();
    await pause(50);
    expect(pulled).toBeLessThanOrEqual(WINDOW + MIB);
    sender.port.on('message', ({ type }: ChunkMessage) => {
      if (type === 'chunk') sender.port.postMessage(MIB);
    });
    sender.port.postMessage(messages.length * MIB);
    await running;
    await pause(20);
    expect(messages.at(-1)).toEqual({ type: 'end' });
    expect(messages).toHaveLength(101);
    sender.close();
  });

  it('opens nothing before it runs, and nothing after it was closed', async () => {
    let opened = 0;
    const { sender } = senderOf(() => {
      opened += 1;
      return Readable.from([]);
    });
    await pause(5);
    sender.close();
    await sender.run();
    expect(opened).toBe(0);
  });

  it.each(['between two chunks', 'while it is asked for a chunk'])(
    'ends a stream %s when it is closed',
    async (when) => {
      const told: string[] = [];
      const { sender, errors } = senderOf(async function* (signal) {
        const aborted = new Promise<void>((resolve) => {
          signal?.addEventListener('abort', () => resolve());
        });
        try {
          yield new Uint8Array(2 * WINDOW);
          if (when === 'while it is asked for a chunk') await aborted;
        } finally {
          told.push(`ended, ${signal?.aborted === true ? 'aborted' : 'not aborted'}`);
        }
      });
      const running = sender.run();
      await pause(10);
      if (when === 'while it is asked for a chunk') sender.port.postMessage(2 * WINDOW);
      await pause(10);
      sender.close();
      await running;
      expect(told).toEqual(['ended, aborted']);
      expect(errors).toEqual([]);
    },
  );

  it('destroys a Node stream that has nothing to say', async () => {
    const silent = new Readable({ read: () => undefined });
    const { sender, errors } = senderOf(() => silent);
    const running = sender.run();
    sender.close();
    await running;
    expect(silent.destroyed).toBe(true);
    expect(errors).toEqual([]);
  });

  it('tells of an error, be it made by the opener or by the stream', async () => {
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      throw new Error('stream');
    };
    const opener = (): never => {
      throw new Error('opener');
    };
    for (const [source, message] of [
      [failing, 'stream'],
      [opener, 'opener'],
    ] as const) {
      const { sender, errors } = senderOf(source);
      await sender.run();
      expect(errors).toEqual([expect.objectContaining({ message })]);
      sender.close();
    }
  });
});
