import type { Stats } from 'node:fs';
import { open as openDescriptor } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const CHUNK_LENGTH = 256 * 1024;

/**
 * The bytes of an opened file from its beginning. `file` stays the caller's, who closes it after the
 * stream was destroyed.
 *
 * A pipe is read through a socket: an ordinary read of a silent pipe would hold a thread of Node's
 * pool until its writer says something, and could not be aborted.
 */
export async function byteStream(file: FileHandle, stat: Stats, signal?: AbortSignal): Promise<Readable> {
  if (!stat.isFIFO()) return file.createReadStream({ autoClose: false, highWaterMark: CHUNK_LENGTH, signal });
  const fd = await promisify(openDescriptor)(`/proc/self/fd/${file.fd}`, 'r', 0);
  return new Socket({ fd, readable: true, writable: false, signal });
}
