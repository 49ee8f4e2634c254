import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle } from '../../../../test/support/peers.ts';
import { mustRun } from '../../../../test/support/runProgram.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { unsupportedSettings } from '../../src/conf/index.ts';
import { ConfFixture } from './confFixture.ts';

const EXAMPLE = fileURLToPath(new URL('../../../../storage.conf.example', import.meta.url));
const TEXT = readFileSync(EXAMPLE, 'utf8');

/** The example with every suggested key in force. */
const ALL_KEYS = TEXT.replace(/^# ([a-z_-]+ = )/gm, '$1');

describe('storage.conf.example', () => {
  it('says what holds without a file, but for the driver', async () => {
    using fixture = new ConfFixture();
    const { files, settings, ...conf } = await fixture.load({ configFile: EXAMPLE });
    const { files: _, settings: __, ...defaults } = await fixture.load();
    expect(conf).toEqual({ ...defaults, driver: 'overlay' });
    expect(files).toEqual([EXAMPLE]);
    expect(settings.map((setting) => setting.source)).toEqual([EXAMPLE, EXAMPLE, EXAMPLE]);
    expect(fixture.warnings).toEqual([]);
    expect(unsupportedSettings(await fixture.load({ configFile: EXAMPLE }))).toEqual([]);
  });

  it('suggests known and supported keys only, with values of the right type', async () => {
    using fixture = new ConfFixture();
    const conf = await fixture.load({ configFile: fixture.file('all.conf', ALL_KEYS) });
    expect(fixture.warnings).toEqual([]);
    expect(unsupportedSettings(conf)).toEqual([]);
    expect(conf.driverPriority).toEqual(['overlay', 'vfs']);
    expect(conf.imageStore).toBe('/var/lib/shared-images');
    expect(conf.driverOptions).toEqual([
      'imagestore=/mnt/images',
      'overlay.ignore_chown_errors=false',
      'overlay.mountopt=nodev',
      'overlay.skip_mount_home=false',
      'overlay.sync=none',
      'vfs.ignore_chown_errors=false',
      'vfs.sync=none',
    ]);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('storage.conf.example for Go programs'), () => {
  it.each([
    ['as it is', TEXT],
    ['with all keys', ALL_KEYS],
  ])('works %s', async (_, text) => {
    await using store = makeStoreRoot();
    const conf = join(store.path, 'example.conf');
    writeFileSync(conf, withRoots(text, store));
    mkdirSync(join(store.path, 'images'));
    const env = { ...store.env, CONTAINERS_STORAGE_CONF: conf };
    const tree = join(store.path, 'tree.tar');
    await mustRun('/usr/bin/tar', ['-C', store.path, '-cf', tree, 'containers.conf']);
    const podman = async (...args: string[]) =>
      await mustRun('/usr/bin/podman', ['--tmpdir', store.libpodTmp, ...args], { env });
    const info = await podman(
      'info',
      '--format',
      '{{.Store.GraphDriverName}} {{.Store.GraphRoot}} {{.Store.RunRoot}}',
    );
    expect(info.stdout.trim()).toBe(`overlay ${store.graphRoot} ${store.runRoot}`);
    await podman('import', '-q', tree, 'localhost/example:1');
    const inspected = await mustRun(
      '/usr/bin/skopeo',
      ['inspect', '--format', '{{.Layers | len}}', 'containers-storage:localhost/example:1'],
      { env },
    );
    expect(inspected.stdout.trim()).toBe('1');
  });
});

function withRoots(text: string, { path, graphRoot, runRoot }: StoreRoot): string {
  return text
    .replace('/mnt/images', join(path, 'images'))
    .replace(/^graphroot = .*$/m, `graphroot = "${graphRoot}"`)
    .replace(/^runroot = .*$/m, `runroot = "${runRoot}"`);
}
