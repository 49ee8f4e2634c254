import { fstatSync } from 'node:fs';
import { withPath } from '../errors/withPath.ts';

/** Standard input and output of the command. Texts are written as they are: line ends are the caller's. */
export interface Streams {
  out(data: string | Uint8Array): void;
  err(text: string): void;
  /** Writes all chunks to standard output, as fast as its reader takes them. */
  pipeOut(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Standard input, to be read once. */
  input(): AsyncIterable<Uint8Array>;
}

/** The streams of this process. */
export function processStreams(): Streams {
  const output = new GuardedOutput();
  return {
    out: (data) => void process.stdout.write(data),
    err: (text) => void process.stderr.write(text),
    pipeOut: async (chunks) => await output.pipe(chunks),
    input: standardInput,
  };
}

/** Standard input. Of a directory Node would see the end at once, as if there were nothing to read. */
function standardInput(): AsyncIterable<Uint8Array> {
  if (!fstatSync(0).isDirectory()) return process.stdin;
  const path = '/dev/stdin';
  throw Object.assign(new Error(`read ${path}`), { code: 'EISDIR', syscall: 'read', path });
}

/**
 * A reader that has seen enough (`containers-storage layers | head -1`) is no failure, and a command that
 * changes the store goes on to its end. Output that cannot be written for another reason is one.
 */
class GuardedOutput {
  /** Whoever pipes is told of the failure, and tells it. */
  #piping = false;

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || this.#piping) return;
      process.stderr.write(`writing the output: ${error.message}\n`);
      process.exitCode = 1;
    });
  }

  async pipe(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { pipeline } = await import('node:stream/promises');
    this.#piping = true;
    try {
      await pipeline(chunks, process.stdout, { end: false });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw withPath(error, '/dev/stdout');
    }
  }
}
