import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { capabilities } from '../src/index.ts';
import { bundleSources } from './support/bundle.ts';
import { output } from './support/run.ts';
import { isLinux, isRoot, tempDir } from './support/tempDir.ts';

/** Runs a program over the sources in a process of its own; its standard output is JSON. */
async function run(source: string, prefix: string[] = []): Promise<Record<string, unknown>> {
  const dir = tempDir();
  chmodSync(dir, 0o755);
  const program = await bundleSources(source, dir);
  const [command = '', ...args] = [...prefix, process.execPath, program];
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

const hasStrace = output('sh', '-c', 'command -v strace || true') !== '';

const ASK = `
import { capabilities, openat, AT_FDCWD } from './index.ts';
let error;
try { openat(AT_FDCWD, '/', 0); } catch (reason) { error = { name: reason.name, code: reason.code, hint: reason.hint }; }
console.log(JSON.stringify({ ...capabilities(), error }));
`;

describe('capabilities', () => {
  it.skipIf(!isLinux)('finds native calls on Linux and is asked once', () => {
    expect(capabilities().native).toBe(true);
    expect(capabilities()).toBe(capabilities());
  });

  it.skipIf(!isLinux)('gives a reason for exactly what is missing', () => {
    const { native, reasons, ...features } = capabilities();
    const missing = Object.entries(features).filter(([, present]) => !present);
    expect(Object.keys(reasons).sort()).toEqual(missing.map(([name]) => name).sort());
    expect(native).toBe(true);
  });

  it('says on other systems that there is nothing native, and calls fail with a code and a hint', async () => {
    const answer = await run(`Object.defineProperty(process, 'platform', { value: 'darwin' });\n${ASK}`);
    expect(answer).toMatchObject({
      native: false,
      reason: 'native calls need Linux, this is darwin',
      ofdLocks: false,
      libzstd: false,
      error: { name: 'StorageError', code: 'NATIVE_UNAVAILABLE', hint: expect.stringContaining('koffi') },
    });
  });

  it('says so when koffi is missing', async () => {
    const broken = `import module from 'node:module'; module.createRequire = () => () => { throw new Error('no koffi'); };
      module.syncBuiltinESMExports();`;
    const answer = await run(`${broken}\n${ASK}`);
    expect(answer).toMatchObject({ native: false, reason: 'koffi cannot be loaded: no koffi' });
  });

  it.skipIf(!isRoot)('knows that the mount calls need privilege', async () => {
    const answer = await run(ASK, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']);
    expect(answer).toMatchObject({ native: true, ofdLocks: true, newMountApi: false });
    expect(answer.reasons).toEqual({ newMountApi: "EPERM: operation not permitted, fsopen 'tmpfs'" });
  });

  it.skipIf(!isLinux || !hasStrace).each([
    ['EPERM', 'EPERM: operation not permitted'],
    ['ENOSYS', 'ENOSYS: function not implemented'],
  ])('sees that a filter answers openat2 with %s (needs strace)', async (code, text) => {
    const inject = ['strace', '-f', '-o', '/dev/null', '-e', `inject=openat2:error=${code}`];
    const answer = await run(ASK, inject);
    expect(answer).toMatchObject({ native: true, openat2: false });
    expect(answer.reasons).toMatchObject({ openat2: `${text}, openat2 '/'` });
  });

  it.skipIf(!isLinux)('does not load koffi before the first native call', async () => {
    const answer = await run(`
      import { capabilities, parseMountInfo } from './index.ts';
      import { chmodSync, readFileSync } from 'node:fs';
      parseMountInfo('');
      const loaded = () => readFileSync('/proc/self/maps', 'latin1').includes('koffi');
      const before = loaded();
      capabilities();
      console.log(JSON.stringify({ before, after: loaded() }));
    `);
    expect(answer).toEqual({ before: false, after: true });
    expect(readFileSync('/proc/self/maps', 'latin1')).toContain('koffi');
  });
});
