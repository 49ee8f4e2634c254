import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * Bundles a small program over this package's sources (`./index.ts`) for a thread or process that runs
 * outside of vitest's module loader.
 *
 * @returns the path of the program, in `dir`
 */
export async function bundleSources(source: string, dir: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: `${root}packages/posix/src`, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['sediment-source'],
    // koffi is found from the path that import.meta.url names
    define: { 'import.meta.url': JSON.stringify(`file://${root}packages/posix/src/bundle.js`) },
  });
  const path = `${dir}/program.mjs`;
  await writeFile(path, outputFiles[0]?.contents ?? '');
  return path;
}
