'use strict';

// node writeCodeCache.cjs BUNDLE DIRECTORY: runs the bundle of containers-storage on an empty store in DIRECTORY, so
// that V8 compiles what every command needs, and leaves the compiled form beside the bundle. Whether the
// command itself succeeds is of no importance: some hosts let nobody make a store.
const { renameSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { loadCompiled } = require('../../packages/containers-storage/bin/loadCompiled.cjs');

const [node = '', , bundle = '', directory = ''] = process.argv;
const cache = `${bundle}.cache`;
const roots = ['--graph', join(directory, 'graph'), '--run', join(directory, 'run')];
process.argv = [node, bundle, ...roots, '--storage-driver', 'vfs', 'layers'];

rmSync(cache, { force: true });
const script = loadCompiled(bundle);
process.on('exit', () => {
  const temporary = `${cache}.${process.pid}`;
  writeFileSync(temporary, script.createCachedData());
  renameSync(temporary, cache);
  process.exitCode = 0;
});
