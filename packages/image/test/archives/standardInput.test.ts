import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratch } from '../support/scratch.ts';

const PLAIN = Buffer.alloc(300_000, 'plain ');
const SOURCE = fileURLToPath(new URL('../../src/archives/openArchiveFile.ts', import.meta.url));

let program: string;
let directory: string;

/** Runs the program on an input; `wrap` is the shell command that gives it to it. */
async function sizeRead(bytes: Uint8Array, wrap: string): Promise<string> {
  const child = spawn('sh', ['-c', wrap, 'sh', process.execPath, program]);
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  child.stdin.end(bytes);
  await new Promise((resolve) => child.on('close', resolve));
  return Buffer.concat(output).toString();
}

describe('standard input', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sediment-image-'));
    program = join(directory, 'read.mjs');
    const script = `
      import { openArchiveFile } from ${JSON.stringify(SOURCE)};
      const archive = await openArchiveFile('/dev/stdin', { spoolDirectory: ${JSON.stringify(directory)} });
      console.log(archive.compression, archive.size);
      await archive.close();`;
    await build({
      stdin: { contents: script, resolveDir: join(SOURCE, '..') },
      bundle: true,
      outfile: program,
      platform: 'node',
      format: 'esm',
      conditions: ['sediment-source'],
      external: ['koffi'],
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" },
    });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each([
    ['a socket', 'exec "$@"'],
    ['a pipe', 'cat | "$@"'],
  ])('is read when it is %s', async (_, wrap) => {
    expect(await sizeRead(PLAIN, wrap)).toBe('none 300000\n');
    expect(await sizeRead(gzipSync(PLAIN), wrap)).toBe('gzip 300000\n');
  });

  it('is read when it is a file', async () => {
    const file = join(scratch(), 'input');
    expect(await sizeRead(PLAIN, `cat > ${file}; exec "$@" < ${file}`)).toBe('none 300000\n');
  });
});
