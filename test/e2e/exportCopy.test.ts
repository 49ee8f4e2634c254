import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rootSkipReason, titled } from '../support/hostAbility.ts';
import { archiveOf, type ImageDescription, imageIdOf, ociLayoutFiles } from '../support/imageArchive.ts';
import { assertNothingLeft } from '../support/leftovers.ts';
import { SEDIMENT, sediment, sedimentJson, startSediment, trySediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

const app: ImageDescription = {
  names: ['localhost/app:1'],
  compression: 'gzip',
  layers: [[{ name: 'a', content: 'first' }], [{ name: 'b', content: 'second' }]],
};
const web: ImageDescription = {
  names: ['localhost/web:1'],
  compression: 'gzip',
  layers: [[{ name: 'w', content: 'of the web' }]],
};
const DIGEST = 'sha256:[0-9a-f]{64}';

interface Copied {
  id: string;
  manifestDigest: string;
  sourceDigest: string;
  names: string[];
  layers: { digest: string; size: number; copied: string }[];
}

describe.skipIf(rootSkipReason)(titled('images out of the store', rootSkipReason), () => {
  let store: StoreRoot;
  const at = (name: string) => join(store.path, name);
  const short = imageIdOf(app).slice(0, 12);
  beforeAll(async () => {
    store = makeStoreRoot({ driver: 'vfs' });
    writeFileSync(at('app.tar'), archiveOf(ociLayoutFiles([app])));
    writeFileSync(at('web.tar'), archiveOf(ociLayoutFiles([web])));
    await sediment(store, ['import', '--keep-blobs', at('app.tar')]);
    await sediment(store, ['import', at('web.tar')]);
  });
  afterAll(() => store?.dispose());

  it('says what became of each image', async () => {
    const kept = await sediment(store, ['export', 'app:1', at('kept.tar')]);
    expect(kept.stdout).toMatch(
      new RegExp(
        `^Exported ${short} as oci-archive:.*/kept.tar \\(2 layers: 2 byte copies; manifest unchanged: ${DIGEST}\\)\n$`,
      ),
    );
    const rebuilt = await sediment(store, ['export', 'web:1', at('rebuilt/')]);
    expect(rebuilt.stdout).toMatch(
      new RegExp(`as oci:.*/rebuilt/ \\(1 layer: 1 rebuilt; .*manifest.* ${DIGEST}\\)\n$`),
    );
    expect(kept.stderr + rebuilt.stderr).toBe('');
  });

  it('prints digests only, or JSON', async () => {
    const quiet = await sediment(store, [
      'export',
      '-q',
      'app:1',
      'web:1',
      `docker-archive:${at('both.tar')}`,
    ]);
    expect(quiet.stdout).toMatch(new RegExp(`^(${DIGEST}\n){2}$`));
    const { stdout } = await sediment(store, [
      'export',
      '--json',
      '--compression',
      'zstd',
      'app:1',
      `dir:${at('d')}`,
    ]);
    const [copied] = JSON.parse(stdout) as [Copied];
    expect(copied).toMatchObject({ id: imageIdOf(app), names: [] });
    expect(copied.layers.map((layer) => layer.copied)).toEqual(['recompressed', 'recompressed']);
    expect(copied.manifestDigest).not.toBe(copied.sourceDigest);
  });

  it('goes through pipes, with every remark on standard error', async () => {
    const out = await sediment(store, ['export', 'app:1', '-']);
    expect(out.stderr).toMatch(new RegExp(`^Exported ${short} as oci-archive to standard output \\(`));
    await using other = makeStoreRoot({ driver: 'vfs' });
    const { stdout } = await sediment(other, ['import', '--keep-blobs', '-'], { input: out.stdoutBytes });
    expect(stdout).toBe(`Imported ${short} as localhost/app:1 (2 layers; blobs kept)\n`);
    const again = await sediment(other, ['export', 'app:1', '-']);
    expect(again.stdoutBytes.equals(out.stdoutBytes)).toBe(true);
  });

  it('gives other names, and replaces what is there only if it is told to', async () => {
    await sediment(store, ['export', '--name', 'x', '--name', 'quay.io/y:2', 'app:1', at('named.tar')]);
    const refused = await trySediment(store, ['export', 'app:1', at('named.tar')]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/\[DESTINATION_EXISTS\]\nHint: .*--overwrite\n$/);
    const copy = ['copy', `oci-archive:${at('named.tar')}:quay.io/y:2`, `oci:${at('l')}:one`];
    const { stdout } = await sediment(store, [...copy, '--additional-tag', 'two', '--json']);
    expect((JSON.parse(stdout) as [Copied])[0].names).toEqual(['one', 'two']);
    await sediment(store, ['export', '--overwrite', 'web:1', at('named.tar')]);
    const rows = await sedimentJson<{ names: string[] }[]>(store, ['import', '--all', at('named.tar')]);
    expect(rows.map(({ names }) => names)).toEqual([['localhost/web:1']]);
  });

  it('preserves digests, or fails before anything is written', async () => {
    const source = at('app.tar');
    await sediment(store, ['copy', '--preserve-digests', `oci-archive:${source}`, `dir:${at('same')}`]);
    const refused = await trySediment(store, ['export', '--preserve-digests', 'web:1', at('no.tar')]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('[DIGESTS_NOT_PRESERVED]');
    expect(existsSync(at('no.tar'))).toBe(false);
  });

  it('copies files without a look at any store', () => {
    const env = { ...process.env, ...store.env, CONTAINERS_STORAGE_CONF: '/nonexistent' };
    const args = [SEDIMENT, 'copy', '-q', `oci-archive:${at('app.tar')}`, `oci:${at('bare')}:app`];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^${DIGEST}\n$`));
  });

  it('copies between stores that references name', async () => {
    await using other = makeStoreRoot({ driver: 'vfs' });
    const to = `containers-storage:[vfs@${other.graphRoot}+${other.runRoot}]quay.io/z:1`;
    const { stdout } = await sediment(store, ['copy', 'containers-storage:localhost/web:1', to]);
    expect(stdout).toMatch(
      /^Copied [0-9a-f]{12} to containers-storage:.*quay\.io\/z:1 \(1 layer: 1 unpacked; /,
    );
    expect(await sedimentJson(other, ['images'])).toMatchObject([
      { id: imageIdOf(web), names: ['quay.io/z:1'], keptBlobs: null },
    ]);
  });

  it('tells programs each step in a line of JSON', async () => {
    const { stdout, stderr } = await sediment(store, [
      'export',
      '--progress',
      'json',
      'web:1',
      at('watched.tar'),
    ]);
    expect(stdout).toContain('Exported');
    const records = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const types = records.map(({ type }) => type).filter((type) => type !== 'layer-progress');
    expect(types).toEqual(['image-start', 'layer-start', 'layer-done', 'image-done', 'commit']);
    const failed = await trySediment(store, ['export', '--progress', 'json', 'nosuch', at('x.tar')]);
    expect(failed.exitCode).toBe(1);
    expect(JSON.parse(failed.stderr)).toMatchObject({ type: 'error', code: 'IMAGE_UNKNOWN' });
  });

  it.each([
    ['a missing destination', ['export', 'app:1'], "missing required argument 'destination'"],
    [
      'a name for two images',
      ['export', '--name', 'x', 'app:1', 'web:1', 'x.tar'],
      "'--name' is for one image",
    ],
    ['a name in a directory', ['export', '--name', 'x', 'app:1', 'dir:x'], 'which holds no names'],
    [
      'a place with a name for two',
      ['export', 'app:1', 'web:1', 'oci:x:y'],
      'names one image, but 2 are exported',
    ],
    [
      'a compression that is none',
      ['export', '--compression', 'xz', 'app:1', 'x.tar'],
      'Allowed choices are',
    ],
    [
      'a level that is no number',
      ['export', '--compression-level', 'x', 'app:1', 'x.tar'],
      'It is no number',
    ],
    ['bars without a terminal', ['export', '--progress', 'bars', 'app:1', 'x.tar'], 'needs a terminal'],
    ['a copy to nowhere', ['copy', 'dir:x'], "missing required argument 'destination'"],
  ])('refuses %s as wrong usage', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await trySediment(store, args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/\nHint: see "sediment (export|copy) --help"\n$/);
  });

  it.each([
    ['no transport', ['copy', 'app', 'dir:x'], 'REFERENCE_INVALID'],
    ['an unknown transport', ['copy', 'oci:x', 'nosuch:x'], 'TRANSPORT_UNKNOWN'],
    ['a registry', ['copy', 'oci:x', 'docker://x/y'], 'TRANSPORT_UNSUPPORTED'],
    ['an image that is not there', ['copy', 'containers-storage:none', 'dir:x'], 'IMAGE_UNKNOWN'],
    ['a store to export to', ['export', 'app:1', 'containers-storage:x'], 'REFERENCE_INVALID'],
    ['a path of no form', ['export', 'app:1', 'x'], 'REFERENCE_INVALID'],
    ['a level too high', ['export', '--compression-level', '10', 'app:1', 'x.tar'], 'CONFIG_INVALID'],
  ])('refuses %s', async (_, args, code) => {
    const { exitCode, stdout, stderr } = await trySediment(store, args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^Error: .* \\[${code}\\]\nHint: .+\n$`));
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('leaves nothing behind when %s ends an export', async (signal, status) => {
    const content = randomFillSync(Buffer.alloc(64 << 20));
    const names = ['localhost/large:1'];
    writeFileSync(
      at('large.tar'),
      archiveOf(ociLayoutFiles([{ layers: [[{ name: 'a', content }]], names }])),
    );
    await sediment(store, ['import', at('large.tar')]);
    const before = readdirSync(store.path);
    let pid = 0;
    const running = startSediment(
      store,
      ['export', '--compression', 'zstd', '--compression-level', '19', 'large:1', at('out.tar')],
      {
        onStart: (started) => {
          pid = started;
        },
      },
    );
    while (readdirSync(store.path).length === before.length) await setTimeout(5);
    process.kill(pid, signal);
    const { exitCode, stdout, stderr } = await running;
    expect({ exitCode, stdout }).toEqual({ exitCode: status, stdout: '' });
    expect(stderr).toMatch(/^Error: .*aborted.* \[ABORTED\]\n/);
    expect(readdirSync(store.path)).toEqual(before);
    assertNothingLeft(store);
  });

  it('never writes an archive to a terminal', () => {
    const { graphRoot, runRoot } = store;
    const command = `${process.execPath} ${SEDIMENT} --root ${graphRoot} --runroot ${runRoot} --storage-driver vfs export app:1 -`;
    const { status, stdout, error } = spawnSync('script', ['-qec', command, '/dev/null'], {
      env: { ...process.env, ...store.env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // util-linux without script(1): nothing to try it with
    if (error !== undefined) return;
    expect(status).toBe(2);
    expect(stdout).toContain('refusing to write binary data to a terminal');
  });

  it('reads nothing but what it needs: the archive is as it was', async () => {
    const before = readFileSync(at('app.tar'));
    await sediment(store, [
      'copy',
      `oci-archive:${at('app.tar')}`,
      `docker-archive:${at('converted.tar')}:app:1`,
    ]);
    expect(readFileSync(at('app.tar')).equals(before)).toBe(true);
  });
});
