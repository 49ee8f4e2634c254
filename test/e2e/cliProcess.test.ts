import { spawn, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overlaySkipReason, rootSkipReason, titled } from '../support/hostAbility.ts';
import { archiveOf, dockerArchiveFiles } from '../support/imageArchive.ts';
import { assertNothingLeft } from '../support/leftovers.ts';
import { SEDIMENT, sediment, sedimentJson, startSediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

/** Waits until layers are being unpacked. */
async function importBegins({ graphRoot, driver }: StoreRoot): Promise<void> {
  const staging = join(graphRoot, driver, 'tempdirs');
  const hasBegun = () =>
    existsSync(staging) && readdirSync(staging).some((name) => name.startsWith('temp-dir-'));
  while (!hasBegun()) await setTimeout(2);
}

describe('sediment version', () => {
  it('needs no store and no configuration', () => {
    const env = { ...process.env, CONTAINERS_STORAGE_CONF: '/nonexistent', STORAGE_DRIVER: 'nonsense' };
    const { status, stdout } = spawnSync(process.execPath, [SEDIMENT, 'version'], { env, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^sediment \d+\.\d+\.\d+\n$/);
  });
});

describe.skipIf(rootSkipReason)(titled('the command as a process', rootSkipReason), () => {
  let store: StoreRoot;
  beforeAll(() => {
    store = makeStoreRoot({ driver: overlaySkipReason === undefined ? 'overlay' : 'vfs' });
  });
  afterAll(() => store?.dispose());

  it('takes the store from storage.conf, and options before it', async () => {
    const { stdout } = spawnSync(process.execPath, [SEDIMENT, 'info', '--format', 'json'], {
      env: { ...process.env, ...store.env },
      encoding: 'utf8',
    });
    const fromFile = JSON.parse(stdout);
    const fromOptions = await sedimentJson<typeof fromFile>(store, ['info']);
    const sourceOf = (info: typeof fromFile) =>
      info.settings.find(({ key }: { key: string }) => key === 'storage.graphroot');
    expect(sourceOf(fromFile)).toEqual({
      key: 'storage.graphroot',
      value: store.graphRoot,
      source: store.env.CONTAINERS_STORAGE_CONF,
    });
    expect(sourceOf(fromOptions)).toMatchObject({ value: store.graphRoot, source: 'option' });
    expect(fromOptions).toMatchObject({
      driver: store.driver,
      counts: { images: 0, layers: 0, containers: 0 },
    });
  });

  it('takes global options after the command too', () => {
    const { graphRoot, runRoot, driver } = store;
    const args = ['images', '--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver, '-q'];
    const { status, stdout } = spawnSync(process.execPath, [SEDIMENT, ...args], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });

  it('ends quietly when nobody reads what it prints', async () => {
    const { graphRoot, runRoot, driver } = store;
    const roots = ['--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver];
    const child = spawn(process.execPath, [SEDIMENT, ...roots, 'images'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('fails when its output cannot be written', () => {
    const { graphRoot, runRoot, driver } = store;
    const roots = ['--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver];
    const { status, stderr } = spawnSync(
      '/bin/sh',
      ['-c', '"$@" > /dev/full', 'sh', process.execPath, SEDIMENT, ...roots, 'images'],
      {
        encoding: 'utf8',
      },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Error: writing the output: ENOSPC/);
  });

  it('goes on to its end when nobody follows its progress any more', async () => {
    await using other = makeStoreRoot();
    const archive = join(other.path, 'small.tar');
    const layers = Array.from({ length: 20 }, (_, i) => [{ name: `file${i}`, content: Buffer.from('x') }]);
    writeFileSync(archive, archiveOf(dockerArchiveFiles([{ layers, names: ['localhost/small:1'] }])));
    const { graphRoot, runRoot, driver } = other;
    const roots = ['--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver];
    const script = '"$@" 2>&1 > /dev/null | head -c 1';
    const args = [...roots, 'import', '--progress', 'json', archive];
    const { stdout } = spawnSync('/bin/sh', ['-c', script, 'sh', process.execPath, SEDIMENT, ...args]);
    expect(stdout.toString()).toBe('{');
    expect(await sedimentJson(other, ['images'])).toMatchObject([{ names: ['localhost/small:1'] }]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('leaves nothing behind when %s ends an import', async (signal, status) => {
    const archive = join(store.path, 'large.tar');
    const content = randomFillSync(Buffer.alloc(64 << 20));
    const layers = [[{ name: 'a', content }], [{ name: 'b', content }], [{ name: 'c', content }]];
    writeFileSync(archive, archiveOf(dockerArchiveFiles([{ layers, names: ['localhost/large:1'] }])));
    let pid = 0;
    const running = startSediment(store, ['import', archive], {
      onStart: (started) => {
        pid = started;
      },
    });
    await importBegins(store);
    process.kill(pid, signal);
    const { exitCode, stdout, stderr } = await running;
    expect({ exitCode, stdout }).toEqual({ exitCode: status, stdout: '' });
    expect(stderr).toMatch(/^Error: .*aborted.* \[ABORTED\]\n/);
    assertNothingLeft(store);
    expect(await sedimentJson(store, ['layers'])).toEqual([]);
    await sediment(store, ['info']);
  });
});
