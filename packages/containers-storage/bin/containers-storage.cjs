#!/usr/bin/env node
// Committed, not built: npm links a command only when its file exists at install time.
'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');

const dist = join(__dirname, '../dist');
const main = join(dist, 'main.cjs');

if (existsSync(main)) {
  require(join(dist, 'loadCompiled.cjs')).loadCompiled(main);
} else {
  process.stderr.write(
    'containers-storage: error: this checkout is not built (packages/containers-storage/dist/main.cjs is missing)\n' +
      'hint: run `npm run build` in the checkout first\n',
  );
  process.exitCode = 1;
}
