import { constants, open } from 'node:fs';
import { open as openHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errnoCode } from '@sediment/core';
import type { ArchiveOutput } from './archiveOutput.ts';
import { destinationError, destinationInvalid, onDestination, throwIfStopped } from './destinationError.ts';

const POLL_MS = 50;

export interface StreamOutputOptions {
  readonly location: string;
  readonly stagingDirectory: string;
  readonly signal?: AbortSignal;
}

/**
 * Standard output. It stays open.
 *
 * @throws {StorageError} `DESTINATION_INVALID` if it is a terminal
 */
export function openStdoutOutput(options: StreamOutputOptions): ArchiveOutput {
  if (process.stdout.isTTY) {
    throw destinationInvalid(
      options.location,
      'standard output is a terminal, and an archive is no text',
      'redirect standard output, or give the path of a file',
    );
  }
  return new StreamOutput(process.stdout, false, options);
}

/**
 * A FIFO: waits until it has a reader. It is written through a socket, since an ordinary write to a pipe
 * that nobody empties would hold a thread of Node's pool, and could not be aborted.
 *
 * @throws {StorageError} `ABORTED`, `PERMISSION_DENIED`, `IO`
 */
export async function openFifoOutput(options: StreamOutputOptions): Promise<ArchiveOutput> {
  const fd = await onDestination(`opening ${options.location}`, options.location, () =>
    openWithReader(options.location, options.signal),
  );
  return new StreamOutput(new Socket({ fd, readable: false, writable: true }), true, options);
}

/** A device or a terminal. */
export async function openDeviceOutput(options: StreamOutputOptions): Promise<ArchiveOutput> {
  const { location } = options;
  const file = await onDestination(`opening ${location}`, location, () => openHandle(location, 'w'));
  return new StreamOutput(file.createWriteStream(), true, options);
}

/** Opening a FIFO without a reader would block; asked not to, the kernel says ENXIO. */
async function openWithReader(path: string, signal: AbortSignal | undefined): Promise<number> {
  for (;;) {
    throwIfStopped(signal);
    try {
      return await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK, 0);
    } catch (error) {
      if (errnoCode(error) !== 'ENXIO') throw error;
    }
    await sleep(POLL_MS);
  }
}

class StreamOutput implements ArchiveOutput {
  readonly location: string;
  readonly stagingDirectory: string;
  readonly #stream: Writable;
  readonly #isOwn: boolean;
  readonly #signal: AbortSignal | undefined;
  #position = 0;
  #error: unknown;

  constructor(stream: Writable, isOwn: boolean, options: StreamOutputOptions) {
    this.location = options.location;
    this.stagingDirectory = options.stagingDirectory;
    this.#stream = stream;
    this.#isOwn = isOwn;
    this.#signal = options.signal;
    stream.on('error', this.#onError);
  }

  get position(): number {
    return this.#position;
  }

  /** Waits until the bytes are handed to the kernel: the reader of a pipe decides how fast. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#settled((done) => this.#stream.write(bytes, done));
    this.#position += bytes.length;
  }

  async flush(): Promise<void> {
    // Every write is waited for.
  }

  async commit(): Promise<void> {
    if (this.#isOwn) await this.#settled((done) => this.#stream.end(done));
  }

  async close(): Promise<void> {
    if (!this.#isOwn) {
      // An error may be told once more, later, and nobody else may listen.
      if (this.#error === undefined) this.#stream.off('error', this.#onError);
      return;
    }
    if (this.#stream.closed) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('close', resolve);
      this.#stream.destroy();
    });
  }

  readonly #onError = (error: unknown): void => {
    this.#error ??= error;
  };

  async #settled(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    throwIfStopped(this.#signal);
    let stop: (() => void) | undefined;
    try {
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve, reject) => {
        stop = () => reject(this.#signal?.reason);
        this.#signal?.addEventListener('abort', stop, { once: true });
        start((error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      throwIfStopped(this.#signal);
      const where = this.location === '-' ? 'standard output' : this.location;
      throw destinationError(error, `writing ${where}`, this.location);
    } finally {
      if (stop !== undefined) this.#signal?.removeEventListener('abort', stop);
    }
  }
}
