import { createReadStream, openSync } from 'node:fs';
import { withPath } from '../errors/withPath.ts';
import type { Streams } from '../output/streams.ts';

/** The bytes of a file, or of standard input if no file is named. A file that is not there is found at once. */
export function inputFile(file: string, streams: Streams): AsyncIterable<Uint8Array> {
  if (file === '') return streams.input();
  return namingFile(createReadStream(file, { fd: openSync(file, 'r') }), file);
}

/** A read that fails does not say by itself of which file. */
async function* namingFile(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* chunks;
  } catch (error) {
    throw withPath(error, file);
  }
}

/** All bytes of {@link inputFile}. */
export async function readInput(file: string, streams: Streams): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of inputFile(file, streams)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
