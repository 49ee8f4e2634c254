import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** Output of a program, without the final newline. */
export function output(program: string, ...args: Array<string | Buffer>): string {
  return execFileSync(program, args as string[], { encoding: 'utf8' }).replace(/\n$/, '');
}

/** Runs Python source that prints a line when it is ready; killed at the end of the test. */
export async function pythonUntilReady(source: string, ...args: string[]): Promise<ChildProcess> {
  const child = spawn('python3', ['-c', source, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (child.exitCode !== null) throw new Error(`python3 ended with ${child.exitCode} before it was ready`);
  return child;
}
