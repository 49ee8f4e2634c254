import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutRoot } from '../../scripts/lib/checkout.js';
import { writeUsualArchive } from '../../scripts/lib/usualArchive.js';
import { mustRun } from '../support/runProgram.ts';
import { SEDIMENT } from '../support/sediment.ts';
import { makeStoreRoot } from '../support/storeRoot.ts';

const built = dirname(dirname(SEDIMENT));
const SCRIPTS = ['main.cjs', 'worker.cjs'];
const FORMS = ['main.cjs.cache', 'main.cjs.import.cache', 'worker.cjs.cache'];

/** Whether V8 takes the form beside a script, as it is in the programs that load it. */
async function isTaken(script: string, form = `${script}.cache`): Promise<boolean> {
  const loader = join(dirname(script), 'loadCompiled.cjs');
  const read = `readCompiled(${JSON.stringify(script)}, ${JSON.stringify(form)})`;
  const program = `console.log(require(${JSON.stringify(loader)}).${read}.script.cachedDataRejected)`;
  const { stdout } = await mustRun(process.execPath, ['-e', program]);
  return stdout === 'false\n';
}

describe.skipIf(process.getuid?.() !== 0)('the forms that the build leaves', () => {
  it.each(['cli', 'containers-storage'])(
    'are those of the scripts of %s, and only we write them',
    async (name) => {
      for (const script of SCRIPTS) {
        const path = join(checkoutRoot, 'packages', name, 'dist', script);
        expect(await isTaken(path)).toBe(true);
        expect(statSync(`${path}.cache`).mode & 0o777 & ~0o644).toBe(0);
      }
    },
  );

  it('are one more for imports of the command', async () => {
    const main = join(built, 'dist/main.cjs');
    expect(await isTaken(main, `${main}.import.cache`)).toBe(true);
  });
});

describe('the command', () => {
  let directory: string;
  const archive = () => join(directory, 'usual.tar');
  beforeAll(() => {
    // where it finds the native packages
    const cache = join(checkoutRoot, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    directory = mkdtempSync(join(cache, 'sediment-compiled-'));
    chmodSync(directory, 0o755);
    for (const part of ['bin', 'dist', 'package.json']) {
      cpSync(join(built, part), join(directory, part), { recursive: true });
    }
    writeUsualArchive(archive());
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const importsOnce = async (): Promise<void> => {
    await using store = makeStoreRoot({ driver: 'vfs' });
    const run = (...args: string[]) =>
      mustRun(process.execPath, [join(directory, 'bin/sediment.cjs'), ...args], { env: store.env });
    const { stdout, stderr } = await run('import', '--quiet', archive());
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/), stderr: '' });
    const images: unknown = JSON.parse((await run('images', '--format', 'json')).stdout);
    expect(images).toMatchObject([{ names: ['localhost/usual:1'] }]);
  };

  it.each([
    ['is empty', Buffer.alloc(0)],
    ['is of something else', Buffer.alloc(4096, 'form')],
  ])('unpacks when each form %s', async (_what, bytes) => {
    for (const form of FORMS) writeFileSync(join(directory, 'dist', form), bytes);
    await importsOnce();
    expect(await isTaken(join(directory, 'dist/worker.cjs'))).toBe(false);
  });

  it('unpacks with the forms of other scripts', async () => {
    const [main, worker] = SCRIPTS.map((script) => join(built, 'dist', `${script}.cache`));
    if (main === undefined || worker === undefined || !existsSync(main) || !existsSync(worker)) return;
    cpSync(main, join(directory, 'dist/worker.cjs.cache'));
    cpSync(worker, join(directory, 'dist/main.cjs.cache'));
    cpSync(worker, join(directory, 'dist/main.cjs.import.cache'));
    await importsOnce();
  });

  it('runs what its script says when the form is of another build of the same length', async () => {
    const main = join(directory, 'dist/main.cjs');
    const known = readFileSync(main, 'utf8');
    // As the build does it: another text, and hence another digest behind it.
    const changed = known.replace('leave signatures behind', 'LEAVE signatures behind');
    const mark = createHash('sha256').update(changed.slice(0, -66)).digest('hex');
    cpSync(join(built, 'dist/main.cjs.cache'), `${main}.cache`);
    writeFileSync(main, changed.slice(0, -64) + mark);
    try {
      const { stdout } = await mustRun(process.execPath, [
        join(directory, 'bin/sediment.cjs'),
        'copy',
        '--help',
      ]);
      expect(stdout).toContain('LEAVE signatures behind');
      expect(await isTaken(main)).toBe(false);
    } finally {
      writeFileSync(main, known);
    }
  });

  it('unpacks without them', async () => {
    for (const form of FORMS) rmSync(join(directory, 'dist', form), { force: true });
    await importsOnce();
    expect(readdirSync(join(directory, 'dist')).filter((name) => name.endsWith('.cache'))).toEqual([]);
  });
});
