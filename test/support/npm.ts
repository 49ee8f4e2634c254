import { mustRun, type RunResult } from './runProgram.ts';

/** Runs npm in a directory of its own, as from a fresh shell: what `npm test` puts into the environment stays out. */
export function npm(cwd: string, args: string[]): Promise<RunResult> {
  const inherited = Object.keys(process.env).filter((name) => /^npm_|^INIT_CWD$/i.test(name));
  const env = Object.fromEntries(inherited.map((name) => [name, undefined]));
  return mustRun('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline'], { cwd, env });
}
