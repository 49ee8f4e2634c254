import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { OpenBytes } from './unpackJob.ts';
import type { ChunkMessage } from './workerProtocol.ts';

/** So many bytes may be on their way to the worker. */
const WINDOW_BYTES = 4 * 1024 * 1024;

export interface ChunkSenderOptions {
  /** Opened once, when {@link ChunkSender.run} is called. Its signal fires when the rest is not wanted. */
  readonly source: OpenBytes;
  /** Told once when the source fails; the job is to be stopped then. */
  readonly onError: (error: unknown) => void;
}

/**
 * Sends a stream to a worker thread, not faster than the worker uses it up. Chunks are copied, since the
 * memory of a chunk may belong to its source and cannot be in two threads. Whatever happens, the stream is ended:
 * read to its end, or told by its signal, by `return` of its iterator and, if it is a Node stream, destroyed.
 */
export class ChunkSender {
  /** The worker's end; to be transferred. */
  readonly port: MessagePort;
  readonly #own: MessagePort;
  readonly #options: ChunkSenderOptions;
  readonly #stop = new AbortController();
  #bytes: (AsyncIterable<Uint8Array> & { destroy?: () => void }) | undefined;
  #inFlight = 0;
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
    port1.on('close', () => this.#abandon());
    // The worker keeps the process alive, not the port.
    port1.unref();
  }

  /** Sends all; settles when nothing is read any more. Never throws. */
  async run(): Promise<void> {
    if (this.#stopped) return;
    try {
      this.#bytes = this.#options.source(this.#stop.signal);
      await this.#sendAll(this.#bytes[Symbol.asyncIterator]());
    } catch (error) {
      if (!this.#stopped) this.#options.onError(error);
    }
  }

  /** Ends the stream early; a worker that waits for more is told. */
  close(): void {
    if (!this.#stopped) this.#post({ type: 'broken' });
    this.#abandon();
    this.#own.close();
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #sendAll(iterator: AsyncIterator<Uint8Array>): Promise<void> {
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) {
        this.#bytes = undefined;
        if (!this.#stopped) this.#post({ type: 'end' });
        return;
      }
      if (!this.#stopped) this.#send(next.value);
      await this.#room();
      if (this.#stopped) break;
    }
    await iterator.return?.();
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

  /** A stream that has nothing to say does not notice `return`, hence the signal and the destruction. */
  #abandon(): void {
    this.#stop.abort();
    this.#wake?.();
    this.#bytes?.destroy?.();
  }
}
