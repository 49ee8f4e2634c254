import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DROPIN, runDropin } from '../support/dropin.ts';
import { overlaySkipReason, titled } from '../support/hostAbility.ts';
import { archiveOf, type ImageDescription, ociLayoutFiles } from '../support/imageArchive.ts';
import { type RunResult, runProgram } from '../support/runProgram.ts';
import { SEDIMENT, sediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

const STRACE = '/usr/bin/strace';
const IMAGE: ImageDescription = {
  names: ['localhost/app:1'],
  layers: [[{ name: 'etc/app', content: 'app' }], [{ name: 'etc/top', content: 'top' }]],
  compression: 'gzip',
};

describe.skipIf(overlaySkipReason)(titled('kept blobs and short commands', overlaySkipReason), () => {
  let store: StoreRoot;
  let archive: string;
  const blobs = () => readdirSync(join(store.graphRoot, 'sediment', 'oci', 'blobs', 'sha256'));

  beforeEach(() => {
    store = makeStoreRoot();
    archive = join(store.path, 'app.tar');
    writeFileSync(archive, archiveOf(ociLayoutFiles([IMAGE])));
  });
  afterEach(() => store.dispose());

  const dropin = async (...args: string[]): Promise<RunResult> => {
    const result = await runDropin(store, args);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).not.toContain('warning');
    return result;
  };

  it.each([['delete-image', 'localhost/app:1'], ['delete', 'localhost/app:1'], ['wipe']])(
    'containers-storage %s takes what was kept along',
    async (...args) => {
      await sediment(store, ['import', '--keep-blobs', archive]);
      expect(blobs()).toHaveLength(4);
      await dropin(...args);
      expect(blobs()).toEqual([]);
    },
  );

  it('containers-storage renames an image in the layout, too', async () => {
    await sediment(store, ['import', '--keep-blobs', archive]);
    await dropin('add-names', '--name', 'localhost/other:2', 'localhost/app:1');
    const index = JSON.parse(readFileSync(join(store.graphRoot, 'sediment', 'oci', 'index.json'), 'utf8'));
    expect(index.manifests).toHaveLength(2);
  });

  it.skipIf(!existsSync(STRACE))('a store without kept blobs never loads SQLite', async () => {
    await sediment(store, ['import', archive]);
    const log = join(store.path, 'trace');
    const traced = async (program: string, ...args: string[]) => {
      const strace = ['-f', '-qq', '-e', 'trace=file', '-o', log, process.execPath, program];
      const { exitCode, stderr } = await runProgram(STRACE, [...strace, ...args], { env: { ...store.env } });
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      const lines = readFileSync(log, 'utf8').split('\n');
      expect(lines.filter((line) => line.includes('better_sqlite3'))).toEqual([]);
      // Opening the store looks for temporary copies of killed imports.
      return lines.filter((line) => line.includes(`${store.graphRoot}/sediment/oci`));
    };
    const roots = ['--root', store.graphRoot, '--runroot', store.runRoot];
    expect(await traced(DROPIN, 'images')).toEqual([]);
    // One look.
    expect(await traced(DROPIN, 'add-names', '--name', 'localhost/b:1', 'localhost/app:1')).toHaveLength(1);
    expect(await traced(DROPIN, 'delete-image', 'localhost/app:1')).toHaveLength(1);
    await traced(SEDIMENT, ...roots, 'images');
    expect(existsSync(join(store.graphRoot, 'sediment', 'oci'))).toBe(false);
  });
});
