import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutRoot } from '../../scripts/lib/checkout.js';
import { overlaySkipReason, titled } from '../support/hostAbility.ts';
import { archiveOf, ociLayoutFiles } from '../support/imageArchive.ts';
import { assertNothingLeft } from '../support/leftovers.ts';
import { npm, WITHOUT_COMPILING } from '../support/npm.ts';
import { readmeExample } from '../support/readmeExample.ts';
import { mustRun } from '../support/runProgram.ts';
import {
  makeScratchDirectory,
  makeStoreRoot,
  removeScratchDirectory,
  type StoreRoot,
} from '../support/storeRoot.ts';
import { tinyImage } from '../support/tinyImage.ts';

const scratch = makeScratchDirectory('pack');
const packed = join(scratch, 'packed');
afterAll(() => removeScratchDirectory(scratch));

beforeAll(async () => {
  mkdirSync(packed);
  await mustRun(process.execPath, [join(checkoutRoot, 'scripts/build.js')]);
  await npm(checkoutRoot, ['pack', '--workspaces', '--pack-destination', packed]);
});

/** Installs tarballs, and what they depend on, into a new directory with an empty package.json. */
async function install(name: string, tarballs: RegExp): Promise<string> {
  const directory = join(scratch, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), '{"private":true,"type":"module"}');
  const files = readdirSync(packed).filter((file) => tarballs.test(file));
  await npm(directory, ['install', WITHOUT_COMPILING, ...files.map((file) => join(packed, file))]);
  return directory;
}

describe('the packed command, installed alone', () => {
  let directory: string;
  let store: StoreRoot;
  beforeAll(async () => {
    directory = await install('command', /^sediment-0/);
    store = makeStoreRoot({ driver: 'vfs' });
  });
  afterAll(() => store.dispose());

  it('needs no other package of ours', () => {
    expect(readdirSync(join(directory, 'node_modules'))).not.toContain('@sediment');
  });

  it.skipIf(overlaySkipReason)(titled('works on a store', overlaySkipReason), async () => {
    const archive = join(store.path, 'tiny.tar');
    writeFileSync(archive, archiveOf(ociLayoutFiles([tinyImage()])));
    const run = (...args: string[]): ReturnType<typeof mustRun> =>
      mustRun(join(directory, 'node_modules/.bin/sediment'), args, { env: store.env });
    await run('import', archive);
    const { stdout } = await run('images', '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject([{ names: ['localhost/tiny:1'] }]);
    assertNothingLeft(store);
  });
});

describe('the packed drop-in, installed alone', () => {
  let directory: string;
  let store: StoreRoot;
  beforeAll(async () => {
    directory = await install('dropin', /^sediment-containers-storage-0/);
    store = makeStoreRoot({ driver: 'vfs' });
  });
  afterAll(() => store.dispose());

  it('has no compiled form, which would be for one version of node only', () => {
    const dist = join(directory, 'node_modules/@sediment/containers-storage/dist');
    expect(readdirSync(dist)).toContain('main.cjs');
    expect(readdirSync(dist).filter((name) => name.endsWith('.cache'))).toEqual([]);
    expect(readdirSync(join(directory, 'node_modules/@sediment'))).toEqual(['containers-storage']);
  });

  it('fills a layer and gives it back', async () => {
    const archive = join(store.path, 'layer.tar');
    await mustRun('tar', ['-C', store.path, '-cf', archive, 'storage.conf']);
    const run = (...args: string[]): ReturnType<typeof mustRun> =>
      mustRun(join(directory, 'node_modules/.bin/containers-storage'), args, { env: store.env });
    const { stdout } = await run('import-layer', '--file', archive);
    const copy = join(store.path, 'copy.tar');
    await run('diff', '--file', copy, stdout.trim());
    expect(readFileSync(copy).equals(readFileSync(archive))).toBe(true);
    assertNothingLeft(store);
  });
});

describe('the packed libraries', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await install('libraries', /^sediment-[a-z]+-0/);
  });

  it('hold no tests and no build state', async () => {
    const { stdout } = await mustRun('find', ['node_modules/@sediment', '-type', 'f'], { cwd: directory });
    const files = stdout.trimEnd().split('\n');
    expect(files.filter((file) => /\.test\.|tsbuildinfo|tsconfig/.test(file))).toEqual([]);
    expect(files).toContain('node_modules/@sediment/storage/dist/index.d.ts');
    expect(files).toContain('node_modules/@sediment/storage/dist/unpack/worker.js');
  });

  it("check the types of the README's example", async () => {
    writeFileSync(join(directory, 'example.ts'), readmeExample());
    const types = join(checkoutRoot, 'node_modules/@types');
    const options = '--noEmit --strict --target es2023 --module nodenext --lib es2023,esnext.disposable';
    const tsc = join(checkoutRoot, 'node_modules/.bin/tsc');
    await mustRun(tsc, [...options.split(' '), '--typeRoots', types, '--types', 'node', 'example.ts'], {
      cwd: directory,
    });
  });

  it.skipIf(overlaySkipReason)(titled("run the README's example", overlaySkipReason), async () => {
    await using store = makeStoreRoot();
    writeFileSync(join(store.path, 'app.tar'), archiveOf(ociLayoutFiles([tinyImage('localhost/app:1')])));
    const source = readmeExample();
    expect(source).toContain('/var/tmp/example/graph');
    const here = source
      .replaceAll('/var/tmp/example/graph', store.graphRoot)
      .replaceAll('/var/tmp/example/run', store.runRoot);
    const { code } = transformSync(here, { loader: 'ts', format: 'esm', target: 'node20' });
    const program = join(directory, 'example.js');
    writeFileSync(program, code);
    const { stdout, stderr } = await mustRun(process.execPath, [program], {
      cwd: store.path,
      env: store.env,
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^localhost\/app:1 is mounted at \S+\/merged\n$/);
    assertNothingLeft(store);
  });
});
