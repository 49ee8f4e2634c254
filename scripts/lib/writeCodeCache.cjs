'use strict';

// node writeCodeCache.cjs BUNDLE CACHE WORD…: runs the bundle of a command with these words, so that V8 compiles what
// it needs, and leaves the compiled form in CACHE; likewise for the script of its threads, when one of them has done
// some work. Whether the command succeeds is of no importance: some hosts let nobody make a store.
const { renameSync, statSync, writeFileSync } = require('node:fs');
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
  const compiled = readCompiled(bundle, cache);
  process.on('exit', () => {
    writeCache(cache, compiled);
    process.exitCode = 0;
  });
  runCompiled(compiled.script, bundle);
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
  const compiled = readCompiled(worker);
  const post = port.postMessage.bind(port);
  port.postMessage = (message, ...rest) => {
    if (message.type === 'done' || message.type === 'produced') writeCache(`${worker}.cache`, compiled);
    post(message, ...rest);
  };
  runCompiled(compiled.script, worker);
}

/**
 * @param {string} cache
 * @param {ReturnType<typeof readCompiled>} compiled
 */
function writeCache(cache, { script, mark }) {
  const form = Buffer.concat([Buffer.from(mark, 'latin1'), script.createCachedData()]);
  // The one that holds most: it is chance which thread is the last to answer.
  if ((statSync(cache, { throwIfNoEntry: false })?.size ?? 0) >= form.length) return;
  const temporary = `${cache}.${process.pid}.${threads.threadId}`;
  // A thread that unpacks has an umask of 0. V8 does not check what it is given: a form that a power cut damaged would crash it.
  writeFileSync(temporary, form, { mode: 0o644, flush: true });
  renameSync(temporary, cache);
}
