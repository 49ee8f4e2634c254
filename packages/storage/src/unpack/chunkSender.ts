import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ChunkMessage } from './workerProtocol.ts';

/** So many bytes may be on their way to the worker. */
const WINDOW_BYTES = 4 * 1024 * 1024;

export interface ChunkSenderOptions {
  readonly source: AsyncIterable<Uint8Array>;
  /** Told once when the source fails; the job is to be stopped then. */
  readonly onError: (error: unknown) => void;
}

/**
 * Sends a stream to a worker thread, not faster than the worker uses it up. Chunks are copied, since the
 * memory of a chunk may belong to its source and cannot be in two threads.
 */
export class ChunkSender {
  /** The worker's end; to be transferred. */
  readonly port: MessagePort;
  readonly #own: MessagePort;
  readonly #options: ChunkSenderOptions;
  #inFlight = 0;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(options: ChunkSenderOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#own = port1;
    this.port = port2;
    this.#options = options;
    port1.on('message', (used: number) => {
      this.#inFlight -= used;
      this.#wake?.();
    });
    // The worker's thread may end at any time.
    port1.on('close', () => this.#stop());
    // The worker keeps the process alive, not the port.
    port1.unref();
  }

  /** Sends all; settles when nothing is read any more. Never throws. */
  async run(): Promise<void> {
    const iterator = this.#options.source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await iterator.next();
        if (this.#stopped) break;
        if (next.done === true) {
          this.#post({ type: 'end' });
          return;
        }
        this.#send(next.value);
        await this.#room();
        if (this.#stopped) break;
      }
      await iterator.return?.();
    } catch (error) {
      if (!this.#stopped) this.#options.onError(error);
    }
  }

  /** Ends the stream early; a worker that waits for more is told. */
  close(): void {
    if (!this.#stopped) this.#post({ type: 'broken' });
    this.#stop();
    this.#own.close();
  }

  #send(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const bytes = Uint8Array.from(chunk);
    this.#inFlight += bytes.length;
    this.#own.postMessage({ type: 'chunk', bytes } satisfies ChunkMessage, [bytes.buffer]);
  }

  #post(message: ChunkMessage): void {
    this.#own.postMessage(message);
  }

  async #room(): Promise<void> {
    while (this.#inFlight > WINDOW_BYTES && !this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }
}
