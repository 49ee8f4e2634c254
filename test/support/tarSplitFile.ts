import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

interface Entry {
  type: number;
  payload: string | null;
}

/**
 * The lines of a tar-split file in a form in which those of several programs are equal: what follows the
 * last file is cut into segments at will, so it stands in one.
 *
 * @returns undefined when there is no such file
 */
export function readTarSplit(path: string): string[] | undefined {
  if (!existsSync(path)) return undefined;
  const lines = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  const lastFile = lines.findLastIndex((line) => (JSON.parse(line) as Entry).type === 1);
  const tail = lines
    .slice(lastFile + 1)
    .map((line) => Buffer.from((JSON.parse(line) as Entry).payload ?? '', 'base64'));
  return [...lines.slice(0, lastFile + 1), `the end: ${Buffer.concat(tail).toString('base64')}`];
}
