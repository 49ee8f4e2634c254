import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { NATIVE_PACKAGES } from '../../scripts/lib/bundleCommand.js';

/**
 * Bundles the unpack worker from its sources, so that tests never run an old build of it. The bundle lies
 * below `node_modules`, where it finds the native packages.
 */
export async function setup(): Promise<() => void> {
  const source = fileURLToPath(new URL('../../packages/storage/src/unpack/worker.ts', import.meta.url));
  if (!existsSync(source)) return () => undefined;
  const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'sediment-worker-'));
  const outfile = join(directory, 'worker.mjs');
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['sediment-source'],
    external: NATIVE_PACKAGES,
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
    logLevel: 'error',
  });
  process.env.SEDIMENT_TEST_WORKER = outfile;
  return () => rmSync(directory, { recursive: true, force: true });
}
