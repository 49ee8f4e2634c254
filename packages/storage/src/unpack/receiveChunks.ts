import type { MessagePort } from 'node:worker_threads';
import { StorageError } from '@sediment/core';
import type { ChunkMessage } from './workerProtocol.ts';

/**
 * The stream that a `ChunkSender` sends to this thread.
 *
 * @throws {StorageError} `ABORTED` when the sender gave up
 */
export async function* receiveChunks(port: MessagePort): AsyncGenerator<Uint8Array, void, undefined> {
  const pending: ChunkMessage[] = [];
  let wake: (() => void) | undefined;
  port.on('message', (message: ChunkMessage) => {
    pending.push(message);
    wake?.();
  });
  port.on('close', () => {
    pending.push({ type: 'broken' });
    wake?.();
  });
  try {
    for (;;) {
      const message = pending.shift();
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (message.type === 'chunk') {
        yield message.bytes;
        port.postMessage(message.bytes.length);
      } else if (message.type === 'end') {
        return;
      } else {
        throw new StorageError('ABORTED', 'the stream of the layer ended early');
      }
    }
  } finally {
    port.close();
  }
}
