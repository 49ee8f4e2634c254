import { spawn } from 'node:child_process';

export interface RunOptions {
  /** Variables added to this process's own. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** The umask of the program, such as 0o077; this process's own when undefined. */
  umask?: number;
  /** Bytes for standard input, which is empty otherwise. */
  input?: string | Uint8Array;
  /** Kills the program with SIGKILL when it fires. */
  signal?: AbortSignal;
  /** Called once with the pid of the started program. */
  onStart?(pid: number): void;
}

export interface RunResult {
  command: string;
  stdout: string;
  /** Standard output as it came: of a program that writes an archive, say. */
  stdoutBytes: Buffer;
  stderr: string;
  /** Exit status; null when a signal ended the program. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs a program to its end, whatever that is, without blocking this process. */
export function runProgram(program: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  const [file, argv] = withUmask(program, args, options.umask);
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: options.signal,
      killSignal: 'SIGKILL',
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // a program that does not read its input closes the pipe early: its exit status is what matters
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error);
    });
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => {
      if (error.name !== 'AbortError') reject(error);
    });
    child.on('close', (exitCode, signal) => {
      const stdoutBytes = Buffer.concat(stdout);
      resolve({
        command: [program, ...args].join(' '),
        stdout: stdoutBytes.toString(),
        stdoutBytes,
        stderr: Buffer.concat(stderr).toString(),
        exitCode,
        signal,
      });
    });
    if (child.pid !== undefined) options.onStart?.(child.pid);
  });
}

/** Runs a program that has to succeed. */
export async function mustRun(program: string, args: string[], options?: RunOptions): Promise<RunResult> {
  return succeeded(await runProgram(program, args, options));
}

/** Gives the result back when the program exited with 0, else throws with all it said. */
export function succeeded(result: RunResult): RunResult {
  if (result.exitCode === 0) return result;
  throw new Error(
    `${result.command}: ${result.signal ?? `exit status ${result.exitCode}`}\n${result.stdout}${result.stderr}`,
  );
}

/** A shell sets the umask and becomes the program: Node has no umask for children alone. */
function withUmask(program: string, args: string[], umask: number | undefined): [string, string[]] {
  if (umask === undefined) return [program, args];
  return ['/bin/sh', ['-c', `umask ${umask.toString(8)}; exec "$@"`, 'sh', program, ...args]];
}
