import { open } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/**
 * The bytes of a pipe, named or at `/dev/stdin`. It is read through a socket: an ordinary read of a
 * silent pipe would hold a thread of Node's pool until its writer says something, and could not be
 * aborted. It must be opened this once: after its writer has gone, a second opening would block.
 */
export async function pipeStream(path: string, signal?: AbortSignal): Promise<Readable> {
  const fd = await promisify(open)(path, 'r', 0);
  return new Socket({ fd, readable: true, writable: false, ...(signal === undefined ? {} : { signal }) });
}
