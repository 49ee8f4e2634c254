import { mustRun, type RunResult } from './runProgram.ts';

/**
 * What installs need where better-sqlite3 has to be compiled, which takes minutes. Then nothing can be kept, and all
 * else works: it is loaded when it is used.
 */
export const WITHOUT_COMPILING = '--ignore-scripts';

/** Runs npm in a directory of its own, as from a fresh shell: what `npm test` puts into the environment stays out. */
export function npm(cwd: string, args: string[]): Promise<RunResult> {
  const inherited = Object.keys(process.env).filter((name) => /^npm_|^INIT_CWD$/i.test(name));
  const env = Object.fromEntries(inherited.map((name) => [name, undefined]));
  return mustRun('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline'], { cwd, env });
}
