import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import { tempDir } from './tempDir.ts';

const packages = fileURLToPath(new URL('../../../../', import.meta.url));
let bundled: Promise<string> | undefined;

/** A child process of a test; it is killed when the test ends. */
export class Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly exited: Promise<number | null>;
  #output = '';

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.exited = once(this.process, 'exit').then(([code]) => code as number | null);
    onTestFinished(() => void this.process.kill('SIGKILL'));
  }

  get output(): string {
    return this.#output;
  }

  /** Resolves when the child printed `text`; rejects when it ends without. */
  async printed(text: string): Promise<void> {
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    while (!this.#output.includes(text)) {
      if (ended) throw new Error(`the child ended without printing ${text}; it printed: ${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** Python 3 with the source text as program. */
export function python(source: string, ...args: string[]): Child {
  return new Child('python3', ['-u', '-c', source, ...args]);
}

/** A Node process that runs {@link nodeProgram}. */
export async function node(source: string, ...args: string[]): Promise<Child> {
  return new Child(process.execPath, [await nodeProgram(source), ...args]);
}

/**
 * A program over this package's sources. `source` is the text of a module that sees `lockFor(path, backend)`,
 * `print`, `sleep`, and its command line as `args`.
 *
 * @returns its path
 */
export async function nodeProgram(source: string): Promise<string> {
  bundled ??= bundle();
  const path = `${tempDir()}/program.mjs`;
  writeFileSync(path, `${await bundled}\nconst args = process.argv.slice(2);\n${source}`);
  return path;
}

async function bundle(): Promise<string> {
  const contents = `
    import { writeSync } from 'node:fs';
    import { LockManager } from './index.ts';
    const onWarning = () => {};
    globalThis.lockFor = (path, backend = 'fcntl', staleMs = 4000) =>
      new LockManager({ backend, onWarning, staleMs }).lock(path, { rank: 'layers' });
    globalThis.print = (text) => writeSync(1, text + '\\n');
    globalThis.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  `;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: `${packages}storage/src/locks`, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['sediment-source'],
    // packages that are not bundled are found from the path that import.meta.url names
    define: { 'import.meta.url': JSON.stringify(`file://${packages}posix/src/bundle.js`) },
    banner: {
      js: `import { createRequire as makeRequire } from 'node:module'; const require = makeRequire('file://${packages}storage/src/bundle.js');`,
    },
  });
  return outputFiles[0]?.text ?? '';
}
