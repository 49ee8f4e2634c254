'use strict';

// node writeCodeCache.cjs BUNDLE WORD…: runs the bundle of a command with these words, so that V8 compiles what every
// command needs, and leaves the compiled form beside the bundle. Whether the command itself succeeds is of no
// importance: some hosts let nobody make a store.
const { renameSync, rmSync, writeFileSync } = require('node:fs');
const { loadCompiled } = require('./loadCompiled.cjs');

const [node = '', , bundle = '', ...words] = process.argv;
const cache = `${bundle}.cache`;
process.argv = [node, bundle, ...words];

rmSync(cache, { force: true });
const script = loadCompiled(bundle);
process.on('exit', () => {
  const temporary = `${cache}.${process.pid}`;
  writeFileSync(temporary, script.createCachedData());
  renameSync(temporary, cache);
  process.exitCode = 0;
});
