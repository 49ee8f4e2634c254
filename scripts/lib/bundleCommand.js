import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { checkoutRoot } from './checkout.js';
import {
  CONTAINERS_STORAGE_FORMS,
  compileAhead,
  copyCompiled,
  removeCompiled,
  SEDIMENT_FORMS,
} from './compileAhead.js';

/** Packages with machine code of their own: they find their binary by its place on disk. */
export const NATIVE_PACKAGES = ['better-sqlite3', 'koffi'];

/** What `import.meta.url` is in a CommonJS bundle. */
const MODULE_URL_BANNER = "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;";

const cli = join(checkoutRoot, 'packages/cli');
const containersStorage = join(checkoutRoot, 'packages/containers-storage');

/** The script of the threads that unpack layers. */
const WORKER = 'packages/storage/src/unpack/worker.ts';

/** Where a bundle finds it: node loads CommonJS faster, and `startWorker.cjs` runs it from its compiled form. */
const WORKER_URL = {
  name: 'the worker beside a bundle',
  /** @param {import('esbuild').PluginBuild} build */
  setup({ onLoad }) {
    onLoad({ filter: /\/unpack\/workerUrl\.ts$/ }, () => ({
      contents: "export const unpackWorkerUrl = new URL('./startWorker.cjs', import.meta.url);",
    }));
  },
};

/** Programs that start bundles from their compiled forms; beside each bundle, for packages are installed alone. */
const LOADERS = ['loadCompiled.cjs', 'startWorker.cjs'];

/**
 * Bundles each command from the sources of all packages into its `dist`, with `worker.cjs` for the unpack threads.
 * Files that are already right are not touched, so that a command may run meanwhile.
 *
 * Scripts call the commands a thousand times in a row, and they must start fast, as must the threads: each is one
 * CommonJS file, with its compiled form beside it.
 */
export async function bundleCommands() {
  await bundleCommand(cli);
  compileAhead({ ...filesOf(cli), forms: SEDIMENT_FORMS });
  await bundleCommand(containersStorage);
  compileAhead({ ...filesOf(containersStorage), forms: CONTAINERS_STORAGE_FORMS });
  copyCompiled(filesOf(cli).worker, filesOf(containersStorage).worker);
}

/**
 * A script with its digest behind it, by which `loadCompiled.cjs` finds that a compiled form is of the same.
 *
 * @param {Uint8Array} script
 */
function marked(script) {
  const digest = createHash('sha256').update(script).digest('hex');
  return Buffer.concat([script, Buffer.from(`//${digest}`)]);
}

/** @param {string} command */
function filesOf(command) {
  return { bundle: join(command, 'dist/main.cjs'), worker: join(command, 'dist/worker.cjs') };
}

/** @param {string} command the directory of its package */
async function bundleCommand(command) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: checkoutRoot,
    entryPoints: [
      { in: join(command, 'src/main.ts'), out: 'main' },
      { in: join(checkoutRoot, WORKER), out: 'worker' },
    ],
    outdir: join(command, 'dist'),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    conditions: ['sediment-source'],
    external: NATIVE_PACKAGES,
    plugins: [WORKER_URL],
    banner: { js: MODULE_URL_BANNER },
    define: { 'import.meta.url': '__moduleUrl' },
    // A script that is compiled by hand cannot import.
    supported: { 'dynamic-import': false },
    // a third less to read at each start; names stay, for stack traces
    minifyWhitespace: true,
    sourcemap: true,
    logLevel: 'warning',
    metafile: true,
    write: false,
  });
  assertExternalsAreDependencies(command, metafile.outputs);
  mkdirSync(join(command, 'dist'), { recursive: true });
  for (const { path, contents } of outputFiles) {
    writeIfChanged(path, path.endsWith('.cjs') ? marked(contents) : contents);
  }
  for (const name of LOADERS) {
    writeIfChanged(join(command, 'dist', name), readFileSync(join(checkoutRoot, 'scripts/lib', name)));
  }
  removeStale(command, metafile.outputs);
}

/**
 * @param {string} path
 * @param {Uint8Array} contents
 */
function writeIfChanged(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  removeCompiled(path);
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
function removeStale(command, outputs) {
  const current = new Set([...LOADERS, ...Object.keys(outputs).map((path) => basename(path))]);
  for (const entry of readdirSync(join(command, 'dist'), { withFileTypes: true })) {
    const isOutput = entry.isFile() && /\.c?js(\.map)?$/.test(entry.name);
    if (isOutput && !current.has(entry.name)) rmSync(join(command, 'dist', entry.name));
  }
}
