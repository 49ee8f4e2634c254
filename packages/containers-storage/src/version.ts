import { readFileSync } from 'node:fs';

/** Version of this package. The path holds for the sources and for the bundle: both lie one level deep. */
export function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
