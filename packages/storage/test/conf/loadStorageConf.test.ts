import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfFixture } from './confFixture.ts';

const ADMIN = 'etc/containers/storage.conf';

describe('driver', () => {
  const overlay = '[storage]\ndriver = "overlay"\n';

  it('comes from the caller, then STORAGE_DRIVER, then the files, else is left open', async () => {
    using fixture = new ConfFixture();
    const env = { STORAGE_DRIVER: 'vfs' };
    expect((await fixture.load()).driver).toBeUndefined();
    const file = fixture.file(ADMIN, overlay);
    const sourceOf = async (options: Parameters<typeof fixture.load>[0]) => {
      const conf = await fixture.load(options);
      return [conf.driver, ConfFixture.source(conf, 'storage.driver')];
    };
    expect(await sourceOf({})).toEqual(['overlay', file]);
    expect(await sourceOf({ env })).toEqual(['vfs', 'STORAGE_DRIVER']);
    expect(await sourceOf({ env, overrides: { driver: 'btrfs' } })).toEqual(['btrfs', 'option']);
    expect(await sourceOf({ env: { STORAGE_DRIVER: '' } })).toEqual(['overlay', file]);
  });

  it.each([
    ['a file', '[storage]\ndriver = "overlay2"\n', {}],
    ['STORAGE_DRIVER', '', { STORAGE_DRIVER: 'overlay2' }],
  ])('"overlay2" of %s is overlay, with a warning', async (_, content, env) => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, content);
    expect((await fixture.load({ env })).driver).toBe('overlay');
    expect(fixture.warnings.map((warning) => warning.code)).toEqual(['CONFIG_KEY_DEPRECATED']);
    expect(fixture.warnings[0]?.message).toContain('overlay2');
  });
});

describe('driver options', () => {
  const EVERYTHING = `
[storage.options]
mountopt = "nodev"
force_mask = 0o755
ignore_chown_errors = "true"
skip_mount_home = "true"
mount_program = "/bin/m"
size = "1G"
additionallayerstores = ["/l:ref"]
additionalimagestores = ["/i1", "/i2"]
[storage.options.zfs]
size = "z3"
mountopt = "z2"
fsname = "z1"
[storage.options.vfs]
sync = "none"
ignore_chown_errors = "false"
[storage.options.overlay]
sync = "filesystem"
use_composefs = "true"
force_mask = "shared"
skip_mount_home = "false"
inodes = "5"
size = "2G"
mountopt = "metacopy=on"
mount_program = "/bin/n"
ignore_chown_errors = "false"
[storage.options.btrfs]
size = "b2"
min_space = "b1"
`;
  const ORDER = [
    'imagestore=/i1',
    'imagestore=/i2',
    'additionallayerstore=/l:ref',
    'size=1G',
    'mount_program=/bin/m',
    'skip_mount_home=true',
    'ignore_chown_errors=true',
    'force_mask=755',
    'mountopt=nodev',
    'btrfs.min_space=b1',
    'btrfs.size=b2',
    'overlay.ignore_chown_errors=false',
    'overlay.mount_program=/bin/n',
    'overlay.mountopt=metacopy=on',
    'overlay.size=2G',
    'overlay.inodes=5',
    'overlay.skip_mount_home=false',
    'overlay.force_mask=shared',
    'overlay.use_composefs=true',
    'overlay.sync=filesystem',
    'vfs.ignore_chown_errors=false',
    'vfs.sync=none',
    'zfs.fsname=z1',
    'zfs.mountopt=z2',
    'zfs.size=z3',
  ];

  it("stand in upstream's order, generic ones first", async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, EVERYTHING);
    const conf = await fixture.load();
    expect(conf.driverOptions).toEqual(ORDER);
    expect(fixture.warnings).toEqual([]);
  });

  it('leave out empty values', async () => {
    using fixture = new ConfFixture();
    fixture.file(
      ADMIN,
      '[storage.options]\nmountopt = ""\nforce_mask = 0\n[storage.options.overlay]\nsize = ""\n',
    );
    expect((await fixture.load()).driverOptions).toEqual([]);
  });

  it('are replaced by STORAGE_OPTS, and by nothing when that is empty', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, EVERYTHING);
    const env = { STORAGE_OPTS: 'overlay.mountopt=nodev,imagestore=/x' };
    const conf = await fixture.load({ env });
    expect(conf.driverOptions).toEqual(['overlay.mountopt=nodev', 'imagestore=/x']);
    expect((await fixture.load({ env: { STORAGE_OPTS: '' } })).driverOptions).toEqual([]);
  });

  it("are replaced by the caller's", async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, EVERYTHING);
    const env = { STORAGE_OPTS: 'a=b' };
    const overrides = { driverOptions: ['overlay.mountopt=nodev,metacopy=on'] };
    const conf = await fixture.load({ env, overrides });
    expect(conf.driverOptions).toEqual(['overlay.mountopt=nodev,metacopy=on']);
  });
});

describe('roots', () => {
  it("default to the system's", async () => {
    using fixture = new ConfFixture();
    const conf = await fixture.load();
    expect([conf.graphRoot, conf.runRoot]).toEqual([
      '/var/lib/containers/storage',
      '/run/containers/storage',
    ]);
  });

  it("are the caller's before all, made absolute", async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\ngraphroot = "/g"\nrunroot = "/r"\n');
    const conf = await fixture.load({ overrides: { graphRoot: 'g', runRoot: '/o/r/' } });
    expect([conf.graphRoot, conf.runRoot]).toEqual([join(process.cwd(), 'g'), '/o/r']);
    expect(ConfFixture.source(conf, 'storage.graphroot')).toBe('option');
  });

  it('of the caller must not be empty', async () => {
    using fixture = new ConfFixture();
    expect((await fixture.loadError({ overrides: { graphRoot: '' } })).code).toBe('CONFIG_INVALID');
  });

  const braced = (name: string) => `$\{${name}}`;
  it.each([
    ['$HOME/s', '/h/s'],
    [`${braced('HOME')}/s`, '/h/s'],
    ['/x-$UID/$UIDX', '/x-7/7X'],
    [`/a/${braced('UID')}`, '/a/7'],
    ['/a//b/../c/', '/a/c'],
    ['/price$', '/price$'],
  ])('expand %s to %s', async (text, expected) => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, `[storage]\ngraphroot = "${text}"\nrunroot = "/r"\n`);
    const env = { HOME: '/h', XDG_CONFIG_HOME: '/none' };
    const conf = await fixture.load({ env, uid: 7 });
    expect(conf.graphRoot).toBe(expected);
    expect(conf.settings).toContainEqual({
      key: 'storage.graphroot',
      value: expected,
      source: join(fixture.root, ADMIN),
    });
  });

  it('with a variable that is not set are refused, since they would be another directory', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\nrunroot = "$TYPO/run"\n');
    const error = await fixture.loadError();
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', facts: { object: 'storage.runroot' } });
    expect(error.message).toContain('"TYPO"');
  });

  it('have their symbolic links resolved', async () => {
    using fixture = new ConfFixture();
    const real = join(fixture.root, 'real');
    mkdirSync(real);
    symlinkSync(real, join(fixture.root, 'link'));
    fixture.file(
      ADMIN,
      `[storage]\ngraphroot = "${fixture.root}/link"\nrunroot = "${fixture.root}/link/none"\n`,
    );
    const conf = await fixture.load();
    expect([conf.graphRoot, conf.runRoot]).toEqual([real, join(fixture.root, 'link/none')]);
  });

  it('refuse an image store that is the graph root', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\ngraphroot = "/g"\nimagestore = "/g"\n');
    expect(await fixture.loadError()).toMatchObject({
      code: 'CONFIG_INVALID',
      facts: { object: 'storage.imagestore' },
    });
  });
});

describe('roots of rootless users', () => {
  const env = { XDG_RUNTIME_DIR: '/run' };

  it('are below home', async () => {
    using fixture = new ConfFixture();
    const conf = await fixture.load({ uid: 1000, env });
    expect(conf.graphRoot).toBe(join(fixture.home, '.local/share/containers/storage'));
    expect(conf.runRoot).toBe('/run/containers');
  });

  it('follow the XDG variables', async () => {
    using fixture = new ConfFixture();
    const conf = await fixture.load({ uid: 1000, env: { ...env, XDG_DATA_HOME: '/data' } });
    expect(conf.graphRoot).toBe('/data/containers/storage');
  });

  it('are those of the system file if it has some', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\ngraphroot = "/g"\n');
    expect((await fixture.load({ uid: 1000, env })).graphRoot).toBe('/g');
  });

  it('are not those of the system store, which distributions name in their files', async () => {
    using fixture = new ConfFixture();
    const roots = 'graphroot = "/var/lib/containers/storage"\nrunroot = "/run/containers/storage"\n';
    fixture.file(ADMIN, `[storage]\n${roots}`);
    const conf = await fixture.load({ uid: 1000, env });
    expect(conf.graphRoot).toBe(join(fixture.home, '.local/share/containers/storage'));
    expect(conf.runRoot).toBe('/run/containers');
    expect(conf.settings).toContainEqual({
      key: 'storage.runroot',
      value: '/run/containers',
      source: 'default',
    });
    expect((await fixture.load({ uid: 0, env })).graphRoot).toBe('/var/lib/containers/storage');
  });

  it('obey rootless_storage_path, which root does not', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\nrootless_storage_path = "/rootless-$UID"\n');
    expect((await fixture.load({ uid: 1000, env })).graphRoot).toBe('/rootless-1000');
    expect((await fixture.load()).graphRoot).toBe('/var/lib/containers/storage');
    expect(fixture.warnings.map((warning) => warning.code)).toEqual(Array(2).fill('CONFIG_KEY_DEPRECATED'));
  });

  it('prefer graphroot to rootless_storage_path and say so', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\ngraphroot = "/g"\nrootless_storage_path = "/rootless"\n');
    expect((await fixture.load({ uid: 1000, env })).graphRoot).toBe('/g');
    expect(fixture.warnings.map((warning) => warning.message).join()).toContain('graphroot is set to /g');
  });

  it('are those of the real user inside a user namespace', async () => {
    using fixture = new ConfFixture();
    const inside = { ...env, _CONTAINERS_ROOTLESS_UID: '1234' };
    const conf = await fixture.load({ uid: undefined, env: inside });
    expect(conf.graphRoot).toBe(join(fixture.home, '.local/share/containers/storage'));
  });
});

describe('effective settings', () => {
  it('list what was set and the roots, each with value and source', async () => {
    using fixture = new ConfFixture();
    const file = fixture.file(
      ADMIN,
      '[storage]\nrunroot = "/r"\n[storage.options]\nauto-userns-max-size = 9\n[storage.options.overlay]\nmountopt = "nodev"\n',
    );
    const conf = await fixture.load({ env: { STORAGE_DRIVER: 'vfs' }, overrides: { graphRoot: '/g' } });
    expect(conf.settings).toEqual([
      { key: 'storage.driver', value: 'vfs', source: 'STORAGE_DRIVER' },
      { key: 'storage.graphroot', value: '/g', source: 'option' },
      { key: 'storage.runroot', value: '/r', source: file },
      { key: 'storage.options.auto-userns-max-size', value: 9, source: file },
      { key: 'storage.options.overlay.mountopt', value: 'nodev', source: file },
    ]);
    expect(conf.autoUserns).toEqual({ user: 'containers', minSize: 1024, maxSize: 9 });
  });

  it('show the driver options that replaced those of the file', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage.options.overlay]\nmountopt = "nodev"\n');
    const conf = await fixture.load({ env: { STORAGE_OPTS: 'overlay.mountopt=nosuid,size=1' } });
    expect(conf.settings.slice(3)).toEqual([
      { key: 'overlay.mountopt', value: 'nosuid', source: 'STORAGE_OPTS' },
      { key: 'size', value: '1', source: 'STORAGE_OPTS' },
    ]);
  });

  it('hold the remaining switches', async () => {
    using fixture = new ConfFixture();
    fixture.file(
      ADMIN,
      '[storage.options]\ndisable-volatile = true\nstrip_suid_sgid = true\nroot-auto-userns-user = "u"\n',
    );
    const conf = await fixture.load();
    expect(conf).toMatchObject({ disableVolatile: true, stripSuidSgid: true, autoUserns: { user: 'u' } });
  });
});
