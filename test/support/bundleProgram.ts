import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { NATIVE_PACKAGES } from '../../scripts/lib/bundleCommand.js';

export interface BundledProgram {
  readonly path: string;
  remove(): void;
}

/**
 * Makes one file of a test's program and the sources it imports, so that plain node runs it; with the
 * unpack worker of this test run. It lies below `node_modules`, where it finds the native packages.
 */
export async function bundleProgram(entry: string): Promise<BundledProgram> {
  const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'sediment-program-'));
  // Other users run it, too.
  chmodSync(directory, 0o755);
  const path = join(directory, 'program.mjs');
  const workerUrl = fileURLToPath(new URL('workerUrl.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['sediment-source'],
    external: NATIVE_PACKAGES,
    plugins: [
      {
        name: 'worker of this test run',
        setup: ({ onResolve }) => onResolve({ filter: /\/workerUrl\.ts$/ }, () => ({ path: workerUrl })),
      },
    ],
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
    logLevel: 'error',
  });
  return { path, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
