import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';

/**
 * What GNU tar says of an archive: a line for each entry with type, mode, numeric owner, size, time and
 * target, sorted. Left out are names of owners, which only some versions write, the form of headers, and
 * the times of whiteouts, which are those of the moment.
 */
export function tarListing(bytes: Buffer): string {
  const args = [
    '--list',
    '--verbose',
    '--numeric-owner',
    '--full-time',
    '--quoting-style=c',
    '--xattrs',
    '--file=-',
  ];
  const { status, stdout, stderr } = spawnSync('tar', args, {
    input: bytes,
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  const lines = stdout.split('\n').map((line) => line.replace(/\S+ \S+ (".*\.wh\.)/, '$1'));
  return lines.sort().join('\n');
}

/** {@link tarListing} of an archive that must be compressed by gzip: another program compresses to other bytes. */
export function gzipTarListing(bytes: Buffer): string {
  return tarListing(gunzipSync(bytes));
}
