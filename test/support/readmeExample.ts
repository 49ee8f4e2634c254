import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from '../../scripts/lib/checkout.js';

/** The program in the README that is marked as the example, as it stands there. */
export function readmeExample(): string {
  const readme = readFileSync(join(checkoutRoot, 'README.md'), 'utf8');
  const source = /<!-- example -->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (source === undefined) throw new Error('README.md holds no ts block after <!-- example -->');
  return source;
}
