import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zstdUnavailableReason } from '../src/index.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What Node.js exports from 22.15 on, but worse: by these, everything failed. */
const HOSTILE = `
#include <stddef.h>
unsigned ZSTD_isError(size_t code) { return 1; }
size_t ZSTD_compressStream2(void *a, void *b, void *c, int d) { return (size_t)-1; }
size_t ZSTD_CCtx_setParameter(void *a, int b, int c) { return (size_t)-1; }
size_t ZSTD_decompressBegin(void *a) { return (size_t)-1; }
`;

const PROGRAM = `
import { createZstdDecoder, createZstdEncoder } from './packages/posix/src/index.ts';
const whole = async (chunks: AsyncIterable<Uint8Array>) => {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
};
async function* of(bytes: Uint8Array) { yield bytes; }
const packed = await whole(createZstdEncoder()!(of(Buffer.alloc(100_000, 'sediment')), { level: 5 }));
process.stdout.write(String((await whole(createZstdDecoder()!(of(packed)))).length));
`;

const reason = spawnSync('cc', ['--version']).error === undefined ? zstdUnavailableReason() : 'no cc';

describe.skipIf(reason !== undefined)('libraries of the system (needs libzstd.so.1 and cc)', () => {
  let directory: string;
  let bundle: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sediment-symbols-'));
    // in a directory where koffi is found
    bundle = join(root, `node_modules/.sediment-symbols-${process.pid}.mjs`);
    await build({
      stdin: { contents: PROGRAM, loader: 'ts', resolveDir: root },
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['sediment-source'],
      external: ['koffi'],
    });
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
    rmSync(bundle, { force: true });
  });

  it('use their own functions, whatever the program exports under the same names', () => {
    const source = join(directory, 'hostile.c');
    const library = join(directory, 'hostile.so');
    writeFileSync(source, HOSTILE);
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source]);
    const run = spawnSync(process.execPath, [bundle], {
      env: { ...process.env, LD_PRELOAD: library },
      encoding: 'utf8',
    });
    expect(run).toMatchObject({ stderr: '', stdout: '100000', status: 0 });
  });
});
