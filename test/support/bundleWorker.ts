import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles the unpack worker from its sources, so that tests never run an old build of it. */
export async function setup(): Promise<() => void> {
  const source = fileURLToPath(new URL('../../packages/storage/src/unpack/worker.ts', import.meta.url));
  if (!existsSync(source)) return () => undefined;
  const directory = mkdtempSync(join(tmpdir(), 'sediment-worker-'));
  const outfile = join(directory, 'worker.mjs');
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['sediment-source'],
    external: ['koffi'],
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(${JSON.stringify(source)});`,
    },
    alias: { koffi: fileURLToPath(import.meta.resolve('koffi')) },
    logLevel: 'error',
  });
  process.env.SEDIMENT_TEST_WORKER = outfile;
  return () => rmSync(directory, { recursive: true, force: true });
}
