import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfFixture } from './confFixture.ts';

const graphRoot = (path: string) => `[storage]\ngraphroot = "${path}"\n`;

describe('search path of storage.conf', () => {
  it('reads the first of user, /etc and /usr/share, and only that', async () => {
    using fixture = new ConfFixture();
    const vendor = fixture.file('usr/share/containers/storage.conf', graphRoot('/vendor'));
    expect((await fixture.load()).files).toEqual([vendor]);
    const admin = fixture.file('etc/containers/storage.conf', '[storage]\nrunroot = "/admin-run"\n');
    const conf = await fixture.load();
    expect(conf.files).toEqual([admin]);
    expect([conf.graphRoot, conf.runRoot]).toEqual(['/var/lib/containers/storage', '/admin-run']);
    const user = fixture.file('home/user/.config/containers/storage.conf', graphRoot('/user'));
    expect((await fixture.load()).files).toEqual([user]);
  });

  it('takes the user file from XDG_CONFIG_HOME when that is set and not empty', async () => {
    using fixture = new ConfFixture();
    const home = fixture.file('home/user/.config/containers/storage.conf', graphRoot('/home'));
    const xdg = fixture.file('xdg/containers/storage.conf', graphRoot('/xdg'));
    expect((await fixture.load({ env: { XDG_CONFIG_HOME: join(fixture.root, 'xdg') } })).files).toEqual([
      xdg,
    ]);
    expect((await fixture.load({ env: { XDG_CONFIG_HOME: '' } })).files).toEqual([home]);
  });

  it('works without any file', async () => {
    using fixture = new ConfFixture();
    const conf = await fixture.load();
    expect(conf).toMatchObject({ driver: undefined, driverPriority: [], driverOptions: [], files: [] });
  });

  it('reads CONTAINERS_STORAGE_CONF alone, without drop-ins', async () => {
    using fixture = new ConfFixture();
    fixture.file('etc/containers/storage.conf', graphRoot('/admin'));
    fixture.file('etc/containers/storage.conf.d/a.conf', '[storage]\nrunroot = "/drop-in"\n');
    const named = fixture.file('named.conf', graphRoot('/named'));
    const conf = await fixture.load({ env: { CONTAINERS_STORAGE_CONF: named } });
    expect(conf.files).toEqual([named]);
    expect([conf.graphRoot, conf.runRoot]).toEqual(['/named', '/run/containers/storage']);
    expect((await fixture.load({ env: { CONTAINERS_STORAGE_CONF: '' } })).graphRoot).toBe('/admin');
  });

  it('prefers the configFile option to CONTAINERS_STORAGE_CONF', async () => {
    using fixture = new ConfFixture();
    const option = fixture.file('option.conf', graphRoot('/option'));
    const env = { CONTAINERS_STORAGE_CONF: fixture.file('env.conf', graphRoot('/env')) };
    expect((await fixture.load({ configFile: option, env })).files).toEqual([option]);
  });

  it.each([
    ['configFile', { configFile: '/none/storage.conf' }, 'configFile'],
    ['CONTAINERS_STORAGE_CONF', { env: { CONTAINERS_STORAGE_CONF: '/none/storage.conf' } }, 'STORAGE_CONF'],
    ['the override', { env: { CONTAINERS_STORAGE_CONF_OVERRIDE: '/none/storage.conf' } }, '_OVERRIDE'],
  ])('refuses %s that does not exist', async (_, options, namedBy) => {
    using fixture = new ConfFixture();
    const error = await fixture.loadError(options);
    expect(error.code).toBe('CONFIG_NOT_FOUND');
    expect(error.message).toContain('/none/storage.conf');
    expect(error.message).toContain(namedBy);
  });

  it('reads CONTAINERS_STORAGE_CONF_OVERRIDE last, also over a named file', async () => {
    using fixture = new ConfFixture();
    const named = fixture.file('named.conf', `${graphRoot('/named')}runroot = "/named-run"\n`);
    const override = fixture.file('override.conf', graphRoot('/override'));
    const env = { CONTAINERS_STORAGE_CONF: named, CONTAINERS_STORAGE_CONF_OVERRIDE: override };
    const conf = await fixture.load({ env });
    expect(conf.files).toEqual([named, override]);
    expect([conf.graphRoot, conf.runRoot]).toEqual(['/override', '/named-run']);
    expect(ConfFixture.source(conf, 'storage.graphroot')).toBe(override);
    expect(ConfFixture.source(conf, 'storage.runroot')).toBe(named);
  });
});

describe('drop-in files', () => {
  const drop = (path: string) => `${path}/10-x.conf`;

  it('merges them in order of base name, whatever the directory', async () => {
    using fixture = new ConfFixture();
    const c = fixture.file('usr/share/containers/storage.conf.d/c.conf', graphRoot('/c'));
    const b = fixture.file('etc/containers/storage.rootful.conf.d/b.conf', graphRoot('/b'));
    const a = fixture.file('home/user/.config/containers/storage.conf.d/a.conf', graphRoot('/a'));
    const conf = await fixture.load();
    expect(conf.files).toEqual([a, b, c]);
    expect(conf.graphRoot).toBe('/c');
  });

  it('lets a later directory replace a file of the same name', async () => {
    using fixture = new ConfFixture();
    const order = [
      'usr/share/containers/storage.conf.d',
      'usr/share/containers/storage.rootful.conf.d',
      'etc/containers/storage.conf.d',
      'etc/containers/storage.rootful.conf.d',
      'home/user/.config/containers/storage.conf.d',
    ];
    for (const directory of order) {
      const file = fixture.file(drop(directory), graphRoot('/x'));
      expect((await fixture.load()).files).toEqual([file]);
    }
  });

  it('gives rootless users their own directories instead of the rootful ones', async () => {
    using fixture = new ConfFixture();
    fixture.file(drop('etc/containers/storage.rootful.conf.d'), graphRoot('/rootful'));
    const common = fixture.file('etc/containers/storage.rootless.conf.d/a.conf', graphRoot('/all'));
    const own = fixture.file('etc/containers/storage.rootless.conf.d/1000/b.conf', graphRoot('/own'));
    fixture.file('etc/containers/storage.rootless.conf.d/1001/c.conf', graphRoot('/other'));
    const conf = await fixture.load({ uid: 1000 });
    expect(conf.files).toEqual([common, own]);
    expect(conf.graphRoot).toBe('/own');
  });

  it('leaves out what is not a regular file ending in .conf', async () => {
    using fixture = new ConfFixture();
    const directory = 'etc/containers/storage.conf.d';
    const target = fixture.file('elsewhere.conf', graphRoot('/link'));
    const kept = fixture.file(`${directory}/kept.conf`, graphRoot('/kept'));
    fixture.file(`${directory}/kept.conf.bak`, graphRoot('/backup'));
    mkdirSync(join(fixture.root, directory, 'directory.conf'));
    symlinkSync(target, join(fixture.root, directory, 'link.conf'));
    expect((await fixture.load()).files).toEqual([kept]);
  });
});
