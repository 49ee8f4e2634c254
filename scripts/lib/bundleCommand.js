import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';
import { checkoutRoot } from './checkout.js';

/** Packages with machine code of their own: they find their binary by its place on disk. */
export const NATIVE_PACKAGES = ['koffi'];

/** CommonJS parts of the bundle call `require`, which ES modules do not have. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** The packages that are a command each. */
const COMMANDS = ['cli', 'containers-storage'].map((name) => join(checkoutRoot, 'packages', name));

/**
 * Bundles each command from the sources of all packages into its `dist`: `main.js`, the chunks that it
 * loads on demand, and `worker.js` for the unpack threads. Files that are already right are not touched,
 * so that a command may run meanwhile.
 */
export function bundleCommands() {
  for (const command of COMMANDS) bundleCommand(command);
}

/** @param {string} command the directory of its package */
function bundleCommand(command) {
  const { metafile, outputFiles } = buildSync({
    absWorkingDir: checkoutRoot,
    entryPoints: entryPoints(command),
    outdir: join(command, 'dist'),
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['sediment-source'],
    external: NATIVE_PACKAGES,
    banner: { js: REQUIRE_BANNER },
    // a third less to read at each start; names stay, for stack traces
    minifyWhitespace: true,
    sourcemap: true,
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  assertExternalsAreDependencies(command, metafile.outputs);
  mkdirSync(join(command, 'dist'), { recursive: true });
  // an entry comes after the chunks that it loads
  /** @param {{ path: string }} file */
  const isEntry = ({ path }) => !basename(path).startsWith('chunk-');
  for (const { path, contents } of outputFiles.sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)))) {
    writeIfChanged(path, contents);
  }
  removeStaleChunks(command, metafile.outputs);
}

/**
 * @param {string} path
 * @param {Uint8Array} contents
 */
function writeIfChanged(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

/** @param {string} command */
function entryPoints(command) {
  return [
    { in: join(command, 'src/main.ts'), out: 'main' },
    // all outputs lie side by side, so that `new URL('./worker.js', import.meta.url)` finds it from any chunk
    { in: join(checkoutRoot, 'packages/storage/src/unpack/worker.ts'), out: 'worker' },
  ];
}

/**
 * What the bundle loads from outside must come along when the command is installed.
 *
 * @param {string} command
 * @param {import('esbuild').Metafile['outputs']} outputs
 */
function assertExternalsAreDependencies(command, outputs) {
  const { name, dependencies } = JSON.parse(readFileSync(join(command, 'package.json'), 'utf8'));
  for (const { imports } of Object.values(outputs)) {
    for (const { path, external } of imports) {
      if (external && !isBuiltin(path) && !Object.hasOwn(dependencies, path)) {
        throw new Error(`the bundle of ${name} loads ${path}: add it to the dependencies of ${name}`);
      }
    }
  }
}

/**
 * Deletes what earlier builds left, which no entry loads any more.
 *
 * @param {string} command
 * @param {import('esbuild').Metafile['outputs']} outputs
 */
function removeStaleChunks(command, outputs) {
  const current = new Set(Object.keys(outputs).map((path) => basename(path)));
  for (const entry of readdirSync(join(command, 'dist'), { withFileTypes: true })) {
    const isOutput = entry.isFile() && /\.js(\.map)?$/.test(entry.name);
    if (isOutput && !current.has(entry.name)) rmSync(join(command, 'dist', entry.name));
  }
}
