import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { overlaySkipReason, titled } from '../../support/hostAbility.ts';
import { mountsBelow } from '../../support/mounts.ts';
import { makeScratchDirectory, removeScratchDirectory } from '../../support/storeRoot.ts';

const ISOLATION = fileURLToPath(new URL('../../../scripts/bench/isolation.js', import.meta.url));

/** Mounts something, starts a program that outlives it, and ends or waits. */
const INNER = `
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
const scratch = process.env.SEDIMENT_BENCH_SCRATCH;
mkdirSync(scratch + '/mounted');
execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', scratch + '/mounted']);
writeFileSync(scratch + '/mounted/file', '');
spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref();
writeFileSync(process.argv[2] + '/ready', String(process.pid));
if (process.argv[3] === 'wait') setInterval(() => undefined, 1000);
else process.exitCode = 3;
`;

const scratch: string[] = [];
afterEach(() => {
  for (const path of scratch.splice(0)) removeScratchDirectory(path);
});

function start(mode: 'wait' | 'end') {
  const directory = makeScratchDirectory('isolation');
  scratch.push(directory);
  const below = join(directory, 'below');
  mkdirSync(below);
  writeFileSync(join(directory, 'inner.mjs'), INNER);
  const options = JSON.stringify({ directory: below, args: [directory, mode], started: 0 });
  const program = `import { runIsolated } from ${JSON.stringify(ISOLATION)};
    process.exitCode = await runIsolated(${JSON.stringify(join(directory, 'inner.mjs'))}, ${options});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
  return { child, directory, below };
}

async function statusOf(child: ChildProcess): Promise<unknown> {
  return (await once(child, 'exit'))[0];
}

async function untilReady(directory: string): Promise<void> {
  while (!existsSync(join(directory, 'ready'))) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe.skipIf(overlaySkipReason)(titled('runIsolated', overlaySkipReason), () => {
  it('hands on the exit status and removes all that was made', async () => {
    const { child, directory, below } = start('end');
    expect(await statusOf(child)).toBe(3);
    expect(readFileSync(join(directory, 'ready'), 'utf8')).toBe('1');
    expect(readdirSync(below)).toEqual([]);
    expect(mountsBelow(below)).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('does so after %s', async (signal, status) => {
    const { child, directory, below } = start('wait');
    await untilReady(directory);
    expect(readdirSync(below)).toHaveLength(1);
    expect(mountsBelow(below)).toEqual([]);
    child.kill(signal);
    expect(await statusOf(child)).toBe(status);
    expect(readdirSync(below)).toEqual([]);
  });
});
