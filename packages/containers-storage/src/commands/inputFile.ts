import { createReadStream, openSync } from 'node:fs';
import type { Streams } from '../output/streams.ts';

/** The bytes of a file, or of standard input if no file is named. A file that is not there is found at once. */
export function inputFile(file: string, streams: Streams): AsyncIterable<Uint8Array> {
  if (file === '') return streams.input();
  return createReadStream(file, { fd: openSync(file, 'r') });
}

/** All bytes of {@link inputFile}. */
export async function readInput(file: string, streams: Streams): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of inputFile(file, streams)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
