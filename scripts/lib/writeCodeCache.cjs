'use strict';

// node writeCodeCache.cjs BUNDLE CACHE WORD…: runs the bundle of a command with these words, so that V8 compiles what
// it needs, and leaves the compiled form in CACHE; likewise for the script of its threads, when one of them has done
// some work. Whether the command succeeds is of no importance: some hosts let nobody make a store.
const { renameSync, writeFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const threads = require('node:worker_threads');
const { readCompiled, runCompiled } = require('./loadCompiled.cjs');

/** The script that a bundle starts threads from, and what that runs. */
const START = 'startWorker.cjs';
const WORKER = 'worker.cjs';

if (threads.isMainThread) runCommand();
else runWorker();

function runCommand() {
  const [node = '', , bundle = '', cache = '', ...words] = process.argv;
  process.argv = [node, bundle, ...words];
  watchThreads();
  const script = readCompiled(bundle, cache);
  process.on('exit', () => {
    writeCache(cache, script);
    process.exitCode = 0;
  });
  runCompiled(script, bundle);
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
    if (message.type === 'done' || message.type === 'produced') writeCache(`${worker}.cache`, script);
    post(message, ...rest);
  };
  runCompiled(script, worker);
}

/**
 * @param {string} cache
 * @param {import('node:vm').Script} script
 */
function writeCache(cache, script) {
  const temporary = `${cache}.${process.pid}.${threads.threadId}`;
  // A thread that unpacks has an umask of 0.
  writeFileSync(temporary, script.createCachedData(), { mode: 0o644 });
  renameSync(temporary, cache);
}
