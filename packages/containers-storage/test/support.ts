import type { Streams } from '../src/output/streams.ts';

export interface RecordedStreams extends Streams {
  readonly stdout: string;
  readonly stderr: string;
}

/** Streams that keep what is written to them; standard input is empty. */
export function recordStreams(): RecordedStreams {
  const out: Buffer[] = [];
  let stderr = '';
  return {
    out: (data) => void out.push(Buffer.from(data as string)),
    err: (text) => {
      stderr += text;
    },
    pipeOut: async (chunks) => {
      for await (const chunk of chunks) out.push(Buffer.from(chunk));
    },
    input: async function* () {
      yield* [];
    },
    get stdout() {
      return Buffer.concat(out).toString();
    },
    get stderr() {
      return stderr;
    },
  };
}
