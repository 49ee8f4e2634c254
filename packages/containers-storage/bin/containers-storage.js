#!/usr/bin/env node
// Committed, not built: npm links a command only when its file exists at install time.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);

if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write(
    'containers-storage: error: this checkout is not built (packages/containers-storage/dist/main.js is missing)\n' +
      'hint: run `npm run build` in the checkout first\n',
  );
  process.exitCode = 1;
}
