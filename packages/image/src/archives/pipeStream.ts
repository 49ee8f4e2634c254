import { open } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { promisify } from 'node:util';

export const STDIN = '/dev/stdin';

/**
 * The bytes of a pipe. It is read through a socket: an ordinary read of a silent pipe would hold a
 * thread of Node's pool until its writer says something, and could not be aborted. It must be opened
 * this once: after its writer has gone, a second opening would block.
 *
 * Standard input is Node's own stream: it may be a socket, which cannot be opened by its path.
 */
export async function pipeStream(path: string, signal?: AbortSignal): Promise<Readable> {
  const stream = path === STDIN ? process.stdin : await openPipe(path);
  return signal === undefined ? stream : addAbortSignal(signal, stream);
}

async function openPipe(path: string): Promise<Readable> {
  return new Socket({ fd: await promisify(open)(path, 'r', 0), readable: true, writable: false });
}
