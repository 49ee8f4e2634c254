import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';
import { checkoutRoot } from './checkout.js';

/** Packages with machine code of their own: they find their binary by its place on disk. */
export const NATIVE_PACKAGES = ['better-sqlite3', 'koffi'];

/** CommonJS parts of the bundle call `require`, which ES modules do not have. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** What `import.meta.url` is in a CommonJS bundle. */
const MODULE_URL_BANNER = "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;";

/** All outputs lie side by side, so that `new URL('./worker.js', import.meta.url)` finds it. */
const WORKER = { in: join(checkoutRoot, 'packages/storage/src/unpack/worker.ts'), out: 'worker' };

const cli = join(checkoutRoot, 'packages/cli');
const containersStorage = join(checkoutRoot, 'packages/containers-storage');

/** The program that starts a bundle from its compiled form; beside each bundle, for packages are installed alone. */
const LOADER = 'loadCompiled.cjs';

/** A command whose result does not matter, for compiling ahead: what it needs, other commands need as well. */
const USUAL_COMMAND = {
  sediment: ['--root', 'graph', '--runroot', 'run', '--storage-driver', 'vfs', 'images'],
  'containers-storage': ['--graph', 'graph', '--run', 'run', '--storage-driver', 'vfs', 'layers'],
};

/**
 * Bundles each command from the sources of all packages into its `dist`, with `worker.js` for the unpack threads.
 * Files that are already right are not touched, so that a command may run meanwhile.
 *
 * Scripts call the commands a thousand times in a row, and they must start fast: each is one CommonJS file, with
 * its compiled form beside it.
 */
export function bundleCommands() {
  bundleCommand(cli, USUAL_COMMAND.sediment);
  bundleCommand(containersStorage, USUAL_COMMAND['containers-storage']);
}

/**
 * @param {string} command the directory of its package
 * @param {readonly string[]} usual the words of a command to be compiled ahead
 */
function bundleCommand(command, usual) {
  const program = build(command, {
    entryPoints: [mainOf(command)],
    format: 'cjs',
    splitting: false,
    outExtension: { '.js': '.cjs' },
    banner: { js: MODULE_URL_BANNER },
    define: { 'import.meta.url': '__moduleUrl' },
    // A script that is compiled by hand cannot import.
    supported: { 'dynamic-import': false },
  });
  writeBundles(command, [program, build(command, { entryPoints: [WORKER] })]);
  compileAhead(join(command, 'dist/main.cjs'), usual);
}

/**
 * @param {string} command the directory of its package
 * @param {import('esbuild').BuildResult<{ metafile: true, write: false }>[]} results
 */
function writeBundles(command, results) {
  const outputs = Object.assign({}, ...results.map(({ metafile }) => metafile.outputs));
  assertExternalsAreDependencies(command, outputs);
  mkdirSync(join(command, 'dist'), { recursive: true });
  // an entry comes after the chunks that it loads
  /** @param {{ path: string }} file */
  const isEntry = ({ path }) => !basename(path).startsWith('chunk-');
  const files = results.flatMap(({ outputFiles }) => outputFiles);
  for (const { path, contents } of files.sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)))) {
    writeIfChanged(path, contents);
  }
  writeIfChanged(join(command, 'dist', LOADER), readFileSync(join(checkoutRoot, 'scripts/lib', LOADER)));
  removeStaleChunks(command, outputs);
}

/**
 * @param {string} command
 * @param {import('esbuild').BuildOptions} options
 */
function build(command, options) {
  return buildSync({
    absWorkingDir: checkoutRoot,
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
    logLevel: 'warning',
    ...options,
    metafile: true,
    write: false,
  });
}

/** @param {string} command */
function mainOf(command) {
  return { in: join(command, 'src/main.ts'), out: 'main' };
}

/**
 * Leaves the compiled form of a bundle beside it, unless there is one that is newer.
 *
 * @param {string} path of the bundle
 * @param {readonly string[]} usual
 */
function compileAhead(path, usual) {
  const made = statSync(`${path}.cache`, { throwIfNoEntry: false });
  if (made !== undefined && made.mtimeMs > statSync(path).mtimeMs) return;
  const directory = mkdtempSync(join(tmpdir(), 'sediment-build-'));
  try {
    const conf = join(directory, 'storage.conf');
    writeFileSync(conf, '');
    const program = join(checkoutRoot, 'scripts/lib/writeCodeCache.cjs');
    const env = { ...process.env, CONTAINERS_STORAGE_CONF: conf };
    const { status, stderr } = spawnSync(process.execPath, [program, path, ...usual], {
      cwd: directory,
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`compiling ${path} ahead failed: ${stderr}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {string} path
 * @param {Uint8Array} contents
 */
function writeIfChanged(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  // V8 tells sources apart by their length only: the compiled form of the old one must be gone first.
  rmSync(`${path}.cache`, { force: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

/**
 * What the bundle loads from outside must come along when the command is installed.
 *
 * @param {string} command
 * @param {import('esbuild').Metafile['outputs']} outputs
 */
function assertExternalsAreDependencies(command, outputs) {
  const { name, dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(command, 'package.json'), 'utf8'),
  );
  const declared = { ...dependencies, ...optionalDependencies };
  for (const { imports } of Object.values(outputs)) {
    for (const { path, external } of imports) {
      if (external && !isBuiltin(path) && !Object.hasOwn(declared, path)) {
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
  const current = new Set([LOADER, ...Object.keys(outputs).map((path) => basename(path))]);
  for (const entry of readdirSync(join(command, 'dist'), { withFileTypes: true })) {
    const isOutput = entry.isFile() && /\.c?js(\.map)?$/.test(entry.name);
    if (isOutput && !current.has(entry.name)) rmSync(join(command, 'dist', entry.name));
  }
}
