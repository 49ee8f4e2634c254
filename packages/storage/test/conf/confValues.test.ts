import { describe, expect, it } from 'vitest';
import { ConfFixture } from './confFixture.ts';

const ADMIN = 'etc/containers/storage.conf';
const DROP_IN = 'etc/containers/storage.conf.d';

describe('merging of files', () => {
  it('replaces key by key', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\ndriver = "vfs"\nrunroot = "/r1"\ntransient_store = true\n');
    fixture.file(`${DROP_IN}/a.conf`, '[storage]\ndriver = "overlay"\ntransient_store = false\n');
    const conf = await fixture.load();
    expect(conf).toMatchObject({ driver: 'overlay', runRoot: '/r1', transientStore: false });
  });

  it('takes an empty text for "not set"', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\ndriver = "vfs"\ngraphroot = "/g"\n');
    fixture.file(`${DROP_IN}/a.conf`, '[storage]\ndriver = ""\ngraphroot = ""\n');
    const conf = await fixture.load();
    expect([conf.driver, conf.graphRoot]).toEqual([undefined, '/var/lib/containers/storage']);
    expect(ConfFixture.source(conf, 'storage.graphroot')).toBe('default');
  });

  it.each([
    ['replaces', ['["a", "b"]', '["c"]'], ['c']],
    ['appends when told so', ['["a"]', '["b", {append=true}]'], ['a', 'b']],
    ['goes on appending', ['["a"]', '["b", {append=true}]', '["c"]'], ['a', 'b', 'c']],
    ['stops appending', ['["a"]', '["b", {append=true}]', '["c", {append=false}]'], ['c']],
    ['appends from the first file on', ['["a", {append=true}]', '["b"]'], ['a', 'b']],
    ['can be emptied', ['["a"]', '[]'], []],
  ])('a list %s', async (_, files, expected) => {
    using fixture = new ConfFixture();
    for (const [i, list] of files.entries()) {
      fixture.file(`${DROP_IN}/${i}.conf`, `[storage]\ndriver_priority = ${list}\n`);
    }
    expect((await fixture.load()).driverPriority).toEqual(expected);
  });

  it('names every file that an appended list comes from', async () => {
    using fixture = new ConfFixture();
    const a = fixture.file(`${DROP_IN}/a.conf`, '[storage]\ndriver_priority = ["vfs"]\n');
    const b = fixture.file(`${DROP_IN}/b.conf`, '[storage]\ndriver_priority = ["overlay", {append=true}]\n');
    expect(ConfFixture.source(await fixture.load(), 'storage.driver_priority')).toBe(`${a}, ${b}`);
  });

  it('merges pull_options by key', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage.options]\npull_options = {enable_partial_images = "true", a = "1"}\n');
    fixture.file(`${DROP_IN}/a.conf`, '[storage.options.pull_options]\na = "2"\n');
    expect((await fixture.load()).pullOptions).toEqual({ enable_partial_images: 'true', a: '2' });
  });
});

describe('keys', () => {
  it('warns of unknown keys and tables, once each', async () => {
    using fixture = new ConfFixture();
    const path = fixture.file(
      ADMIN,
      '[storage]\ndrivr = "overlay"\n[storage.options.overlay]\nmount_opt = "nodev"\n[engine]\na = 1\nb = 2\n',
    );
    await fixture.load();
    expect(fixture.warnings.map(({ code, object }) => [code, object])).toEqual([
      ['CONFIG_KEY_UNKNOWN', 'storage.drivr'],
      ['CONFIG_KEY_UNKNOWN', 'storage.options.overlay.mount_opt'],
      ['CONFIG_KEY_UNKNOWN', 'engine'],
    ]);
    expect(fixture.warnings.every((warning) => warning.path === path && warning.message.includes(path))).toBe(
      true,
    );
  });

  it('does not take names of Object.prototype for known keys', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, 'constructor = 1\n[storage]\n__proto__ = "x"\ntoString = "x"\n');
    await fixture.load();
    expect(fixture.warnings.map((warning) => warning.object)).toEqual([
      'constructor',
      'storage.__proto__',
      'storage.toString',
    ]);
  });

  it('matches keys whatever their case, as Go does', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[Storage]\nGraphRoot = "/g"\n');
    expect((await fixture.load()).graphRoot).toBe('/g');
    expect(fixture.warnings).toEqual([]);
  });

  it.each([
    ['remap-uids', '[storage.options]\nremap-uids = "0:1000:65536"\n', 'storage.options.remap-uids'],
    ['remap-user', '[storage.options]\nremap-user = "containers"\n', 'storage.options.remap-user'],
    ['thinpool', '[storage.options.thinpool]\nfs = "xfs"\n', 'storage.options.thinpool'],
    ['aufs', '[storage.options.aufs]\nmountopt = "x"\n', 'storage.options.aufs'],
    ['imagestore in options', '[storage.options]\nimagestore = "/i"\n', 'storage.options.imagestore'],
    ['override_kernel_check', '[storage.options.overlay]\noverride_kernel_check = "1"\n', undefined],
  ])('accepts %s as deprecated', async (_, content, key) => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, content);
    const conf = await fixture.load();
    expect(conf.imageStore).toBeUndefined();
    expect(fixture.warnings.map((warning) => warning.code)).toEqual(['CONFIG_KEY_DEPRECATED']);
    if (key !== undefined) expect(fixture.warnings[0]?.object).toBe(key);
  });

  it('says nothing about an empty table of a driver that is gone', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage.options.thinpool]\n# fs = "xfs"\n');
    await fixture.load();
    expect(fixture.warnings).toEqual([]);
  });
});

describe('wrong values', () => {
  it.each([
    ['storage.graphroot', '[storage]\ngraphroot = 5\n', 'a string', '5'],
    ['storage.transient_store', '[storage]\ntransient_store = "true"\n', 'true or false', '"true"'],
    ['storage.driver_priority', '[storage]\ndriver_priority = "vfs"\n', 'an array of strings', '"vfs"'],
    [
      'storage.driver_priority[1]',
      '[storage]\ndriver_priority = ["a", 1]\n',
      'a string or {append=true}',
      '1',
    ],
    ['storage.driver_priority[0]', '[storage]\ndriver_priority = [{prepend=true}]\n', 'append', 'prepend'],
    [
      'storage.options.overlay.skip_mount_home',
      '[storage.options.overlay]\nskip_mount_home = true\n',
      'a string',
      'true',
    ],
    [
      'storage.options.auto-userns-min-size',
      '[storage.options]\nauto-userns-min-size = -1\n',
      '4294967295',
      '-1',
    ],
    ['storage.options.force_mask', '[storage.options]\nforce_mask = "0755"\n', 'an integer', '"0755"'],
    ['storage.options.pull_options.a', '[storage.options.pull_options]\na = true\n', 'a string', 'true'],
    ['storage.options', '[storage]\noptions = "x"\n', 'a table', '"x"'],
    ['storage', 'storage = 1\n', 'a table', '1'],
    ['storage.graphroot', '[storage]\ngraphroot = 2020-01-01\n', 'a string', '2020-01-01'],
  ])('%s: %j', async (key, content, expected, actual) => {
    using fixture = new ConfFixture();
    const path = fixture.file(ADMIN, content);
    const error = await fixture.loadError();
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.facts).toMatchObject({ path, object: key });
    for (const part of [path, `"${key}"`, expected, actual]) expect(error.message).toContain(part);
    expect(error.hint).toBeTruthy();
  });

  it('tells to put a boolean in quotes where Go wants a text', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage.options]\nignore_chown_errors = true\n');
    expect((await fixture.loadError()).hint).toBe('write the value in quotes: "true"');
  });

  it('names file, line and column of a syntax error', async () => {
    using fixture = new ConfFixture();
    const path = fixture.file(ADMIN, '[storage]\ndriver = "overlay"\ngraphroot = /x\n');
    const error = await fixture.loadError();
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(/storage\.conf: line 3, column \d+: /);
    expect(error.message).not.toContain('\n');
    expect(error.facts.path).toBe(path);
  });

  it('refuses a key that is set twice', async () => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, '[storage]\ndriver = "overlay"\ndriver = "vfs"\n');
    expect((await fixture.loadError()).message).toContain('line 3');
  });

  it('refuses text that is not UTF-8', async () => {
    using fixture = new ConfFixture();
    const path = fixture.file(ADMIN, '');
    (await import('node:fs')).writeFileSync(path, Buffer.from([0x23, 0xff, 0x0a]));
    expect((await fixture.loadError()).message).toContain('UTF-8');
  });
});
