// Removes what a build makes: the `dist` folder of every package. Nothing else is touched.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from './lib/checkout.js';

for (const name of readdirSync(join(checkoutRoot, 'packages'))) {
  rmSync(join(checkoutRoot, 'packages', name, 'dist'), { recursive: true, force: true });
}
