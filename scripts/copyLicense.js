import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// npm takes a license only from the folder of the package that it packs.
copyFileSync(fileURLToPath(new URL('../LICENSE', import.meta.url)), 'LICENSE');
