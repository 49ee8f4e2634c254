import type { Terminal } from '../src/output/terminal.ts';

/** A terminal that keeps what is printed. */
export interface RecordedTerminal extends Terminal {
  readonly stdout: string;
  readonly stderr: string;
}

export function recordTerminal(columns?: number): RecordedTerminal {
  const out: string[] = [];
  const err: string[] = [];
  return {
    columns,
    screen: undefined,
    print: (text) => void out.push(text),
    remark: (line) => void err.push(`${line}\n`),
    get stdout() {
      return out.join('');
    },
    get stderr() {
      return err.join('');
    },
  };
}
