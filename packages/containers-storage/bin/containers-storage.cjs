#!/usr/bin/env node
// Committed, not built: npm links a command only when its file exists at install time.
'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { loadCompiled } = require('./loadCompiled.cjs');

const main = join(__dirname, '../dist/main.cjs');

if (existsSync(main)) {
  loadCompiled(main);
} else {
  process.stderr.write(
    'containers-storage: error: this checkout is not built (packages/containers-storage/dist/main.cjs is missing)\n' +
      'hint: run `npm run build` in the checkout first\n',
  );
  process.exitCode = 1;
}
