import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Streams } from '../output/streams.ts';

/** The bytes of a file, or of standard input if no file is named. A file that is not there is found at once. */
export async function inputFile(file: string, streams: Streams): Promise<AsyncIterable<Uint8Array>> {
  if (file === '') return streams.input();
  const handle = await open(file);
  return createReadStream(file, { fd: handle });
}

/** All bytes of {@link inputFile}. */
export async function readInput(file: string, streams: Streams): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await inputFile(file, streams)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
