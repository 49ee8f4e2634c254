'use strict';

// The script of the threads that unpack layers, beside the bundle that starts them.
const { join } = require('node:path');
const { loadCompiled } = require('./loadCompiled.cjs');

loadCompiled(join(__dirname, 'worker.cjs'));
