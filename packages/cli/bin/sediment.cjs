#!/usr/bin/env node
// Committed, not built: npm links a command only when its file exists at install time.
'use strict';

const [first, ...rest] = process.argv.slice(2);

// The one command that scripts call just to see that the program is there: it loads nothing else.
if ((first === 'version' || first === '--version') && rest.length === 0) {
  process.stdout.write(`sediment ${require('../package.json').version}\n`);
} else {
  start();
}

function start() {
  const { existsSync } = require('node:fs');
  const { join } = require('node:path');
  const dist = join(__dirname, '../dist');
  const main = join(dist, 'main.cjs');
  if (existsSync(main)) {
    // Commands that need less start faster with a form that holds less.
    const isImport = process.argv.includes('import');
    require(join(dist, 'loadCompiled.cjs')).loadCompiled(main, isImport ? `${main}.import.cache` : undefined);
  } else {
    process.stderr.write(
      'sediment: error: this checkout is not built (packages/cli/dist/main.cjs is missing)\n' +
        'hint: run `npm run build` in the checkout first\n',
    );
    process.exitCode = 1;
  }
}
