'use strict';

// node writeCodeCache.cjs BUNDLE COMMANDS: runs the bundle with each of these commands (JSON: lists of words), so that V8
// compiles what they need, and leaves the compiled form beside the bundle; likewise for the script of its threads, when
// one of them has done some work. Whether a command succeeds is of no importance: some hosts let nobody make a store.
const { renameSync, rmSync, writeFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const threads = require('node:worker_threads');
const { readCompiled, runCompiled } = require('./loadCompiled.cjs');

/** The script that a bundle starts threads from, and what that runs. */
const START = 'startWorker.cjs';
const WORKER = 'worker.cjs';

if (threads.isMainThread) runCommands();
else runWorker();

function runCommands() {
  const [node = '', , bundle = '', list = ''] = process.argv;
  /** @type {string[][]} */
  const commands = JSON.parse(list);
  const worker = join(dirname(bundle), WORKER);
  for (const path of [bundle, worker]) rmSync(`${path}.cache`, { force: true });
  watchThreads();
  const script = readCompiled(bundle);
  const next = () => {
    const words = commands.shift();
    if (words === undefined) return;
    process.argv = [node, bundle, ...words];
    runCompiled(script, bundle);
  };
  // Told again each time that nothing is left to do.
  process.on('beforeExit', next);
  process.on('exit', () => {
    writeCache(bundle, script);
    process.exitCode = 0;
  });
  next();
}

/** Puts this file in the place of the script of the threads. */
function watchThreads() {
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    /**
     * @param {string | URL} url
     * @param {import('node:worker_threads').WorkerOptions} [options]
     */
    constructor(url, options) {
      if (url instanceof URL && basename(url.pathname) === START) {
        super(__filename, { ...options, argv: [join(dirname(decodeURIComponent(url.pathname)), WORKER)] });
      } else {
        super(url, options);
      }
    }
  };
}

/** Each answer may be the last one before the thread is ended. */
function runWorker() {
  const [, , worker = ''] = process.argv;
  const { parentPort: port } = threads;
  if (port === null) throw new TypeError('a thread has a port');
  const script = readCompiled(worker);
  const post = port.postMessage.bind(port);
  port.postMessage = (message, ...rest) => {
    if (message.type === 'done' || message.type === 'produced') writeCache(worker, script);
    post(message, ...rest);
  };
  runCompiled(script, worker);
}

/**
 * @param {string} path
 * @param {import('node:vm').Script} script
 */
function writeCache(path, script) {
  const temporary = `${path}.cache.${process.pid}.${threads.threadId}`;
  // A thread that unpacks has an umask of 0.
  writeFileSync(temporary, script.createCachedData(), { mode: 0o644 });
  renameSync(temporary, `${path}.cache`);
}
