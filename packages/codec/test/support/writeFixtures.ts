/**
 * Makes the files of `test/fixtures` anew: `node packages/codec/test/support/writeFixtures.ts` with
 * a Node that strips types. Needs the commands xz, bzip2 and zstd.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { lines, noise, sample } from './bytes.ts';

const FIXTURES: readonly [string, string, readonly string[], Buffer][] = [
  ['sample.xz', 'xz', ['-c'], sample(20_000)],
  ['sample-crc32.xz', 'xz', ['-c', '--check=crc32'], sample(20_000)],
  ['sample-sha256.xz', 'xz', ['-c', '--check=sha256'], sample(20_000)],
  ['sample-none.xz', 'xz', ['-c', '--check=none', '--lzma2=lc=1,lp=2,pb=1'], sample(20_000)],
  ['sample-blocks.xz', 'xz', ['-c', '--block-size=3000'], sample(20_000)],
  ['sample-x86.xz', 'xz', ['-c', '--x86', '--lzma2'], sample(20_000)],
  ['lines.xz', 'xz', ['-c', '--lzma2=dict=64KiB'], lines(3_000_000)],
  ['noise.xz', 'xz', ['-c'], noise(200_000)],
  ['sample-threads.xz', 'xz', ['-c', '-T2', '--block-size=8000'], sample(20_000)],
  ['sample.bz2', 'bzip2', ['-c'], sample(20_000)],
  ['lines.bz2', 'bzip2', ['-c', '-1'], lines(300_000)],
  ['sample.zst', 'zstd', ['-c', '-q'], sample(20_000)],
  ['sample-nocheck.zst', 'zstd', ['-c', '-q', '--no-check'], sample(20_000)],
  ['lines.zst', 'zstd', ['-c', '-q', '-19', '--no-content-size'], lines(300_000)],
];

for (const [name, command, args, input] of FIXTURES) {
  const output = execFileSync(command, args, { input, maxBuffer: 2 ** 24 });
  writeFileSync(new URL(`../fixtures/${name}`, import.meta.url), output);
}
