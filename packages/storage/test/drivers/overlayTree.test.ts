import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { lsetxattr } from '@sediment/posix';
import { describe, expect, it } from 'vitest';
import { isRoot, needsRoot, overlayFixture } from './overlayFixture.ts';

const [BASE, MIDDLE, TOP] = ['1', '2', '3'].map((digit) => digit.repeat(64)) as [string, string, string];

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

describe.skipIf(!isRoot)(`the tree of the overlay driver${needsRoot}`, () => {
  it('has the names, modes and texts that containers/storage expects, whatever the umask is', async () => {
    const before = process.umask(0o077);
    try {
      await using fixture = await overlayFixture();
      const { driver } = fixture;
      driver.create(BASE, { readWrite: false });
      driver.create(MIDDLE, { parent: BASE, readWrite: false });
      driver.create(TOP, { parent: MIDDLE, readWrite: true });
      const at = (...names: string[]) => join(driver.home, ...names);

      expect(readdirSync(driver.home).sort()).toEqual(['.has-mount-program', BASE, MIDDLE, TOP, 'l']);
      expect(modeOf(at('l'))).toBe('755');
      expect(modeOf(at('.has-mount-program'))).toBe('600');
      expect(readFileSync(at('.has-mount-program'), 'utf8')).toBe('false');
      expect(readdirSync(at(BASE)).sort()).toEqual(['diff', 'empty', 'link', 'merged', 'work']);
      expect(readdirSync(at(TOP)).sort()).toEqual(['diff', 'link', 'lower', 'merged', 'work']);
      const modes = Object.fromEntries(readdirSync(at(BASE)).map((name) => [name, modeOf(at(BASE, name))]));
      expect(modes).toEqual({ diff: '555', empty: '700', link: '644', merged: '700', work: '700' });
      expect(modeOf(at(BASE))).toBe('700');
      expect(modeOf(at(TOP, 'lower'))).toBe('644');

      const links = [BASE, MIDDLE, TOP].map((id) => readFileSync(at(id, 'link'), 'utf8'));
      for (const [i, id] of [BASE, MIDDLE, TOP].entries()) {
        expect(links[i]).toMatch(/^[A-Z2-7]{26}$/);
        expect(readlinkSync(at('l', links[i] as string))).toBe(`../${id}/diff`);
      }
      expect(readFileSync(at(MIDDLE, 'lower'), 'utf8')).toBe(`l/${links[0]}`);
      expect(readFileSync(at(TOP, 'lower'), 'utf8')).toBe(`l/${links[1]}:l/${links[0]}`);
    } finally {
      process.umask(before);
    }
  });

  it('takes the root of a layer from what a mount program noted about the parent', async () => {
    await using fixture = await overlayFixture();
    const { driver } = fixture;
    driver.create(BASE, { readWrite: false });
    const diff = join(driver.home, BASE, 'diff');
    chmodSync(diff, 0o700);
    lsetxattr(diff, 'user.containers.override_stat', Buffer.from('3:4:0711:dir'));
    driver.create(TOP, { parent: BASE, readWrite: true });
    const { uid, gid, mode } = lstatSync(join(driver.home, TOP, 'diff'));
    expect([uid, gid, mode & 0o7777]).toEqual([3, 4, 0o711]);
  });

  it('finds a layer of an additional store whose short link is lost, without making it again', async () => {
    await using below = await overlayFixture();
    below.driver.create(BASE, { readWrite: false });
    writeFileSync(join(below.driver.home, BASE, 'diff/file'), 'base');
    below.driver.create(MIDDLE, { parent: BASE, readWrite: false });
    await using fixture = await overlayFixture([], {}, [below.store.graphRoot]);
    fixture.driver.create(TOP, { parent: MIDDLE, readWrite: true });
    const links = join(below.driver.home, 'l');
    for (const name of readdirSync(links)) unlinkSync(join(links, name));
    expect(readFileSync(join(fixture.driver.get(TOP), 'file'), 'utf8')).toBe('base');
    fixture.driver.put(TOP);
    expect(readdirSync(links)).toEqual([]);
    unlinkSync(join(below.driver.home, BASE, 'link'));
    expect(() => fixture.driver.get(TOP)).toThrow(expect.objectContaining({ code: 'MOUNT_FAILED' }));
  });

  it('removes a short link with its layer, even when only one of the two notes is left', async () => {
    await using fixture = await overlayFixture();
    const { driver, temp } = fixture;
    for (const id of [BASE, TOP]) driver.create(id, { readWrite: false });
    unlinkSync(join(driver.home, TOP, 'link'));
    const dir = temp.create();
    for (const id of [BASE, TOP]) driver.remove(id, dir);
    dir.cleanup();
    expect(readdirSync(join(driver.home, 'l'))).toEqual([]);
  });

  it('never takes its own directories for layers', async () => {
    await using fixture = await overlayFixture();
    const { driver, temp } = fixture;
    const dir = temp.create();
    mkdirSync(join(driver.home, 'staging'));
    for (const name of ['l', 'tempdirs', 'staging', 'backingFsBlockDev']) {
      expect(driver.exists(name)).toBe(false);
      expect(() => driver.create(name, { readWrite: false })).toThrow(TypeError);
      driver.remove(name, dir);
      driver.put(name);
    }
    expect(driver.list()).toEqual([]);
    expect(existsSync(join(driver.home, 'l'))).toBe(true);
    dir.cleanup();
  });

  it('lists what a killed probe left, so that garbage collection finds it', async () => {
    await using fixture = await overlayFixture();
    mkdirSync(join(fixture.driver.home, 'compat123/merged'), { recursive: true });
    expect(fixture.driver.list()).toEqual(['compat123']);
    const dir = fixture.temp.create();
    fixture.driver.remove('compat123', dir);
    dir.cleanup();
    expect(fixture.driver.list()).toEqual([]);
  });

  it('makes lost short links and lost notes again', async () => {
    await using fixture = await overlayFixture();
    const { driver } = fixture;
    driver.create(BASE, { readWrite: false });
    driver.create(MIDDLE, { parent: BASE, readWrite: false });
    driver.create(TOP, { parent: MIDDLE, readWrite: true });
    writeFileSync(join(driver.home, BASE, 'diff/file'), 'base');
    const before = driver.metadata(TOP);
    rmSync(join(driver.home, 'l'), { recursive: true });
    expect(driver.metadata(TOP)).toEqual(before);
    expect(readFileSync(join(driver.get(TOP), 'file'), 'utf8')).toBe('base');
    driver.put(TOP);
    expect(fixture.warnings.map(({ code }) => code)).toEqual(['LINKS_REPAIRED']);

    const link = join(driver.home, MIDDLE, 'link');
    const name = readFileSync(link, 'utf8');
    unlinkSync(link);
    unlinkSync(join(driver.home, 'l', readFileSync(join(driver.home, BASE, 'link'), 'utf8')));
    symlinkSync('/elsewhere', join(driver.home, 'l/AAAA'));
    driver.get(TOP);
    driver.put(TOP);
    expect(readFileSync(link, 'utf8')).toBe(name);
    expect(readdirSync(join(driver.home, 'l'))).toHaveLength(3);
  });

  it('says which layer is lost when neither link nor note is left', async () => {
    await using fixture = await overlayFixture();
    const { driver } = fixture;
    driver.create(BASE, { readWrite: false });
    driver.create(TOP, { parent: BASE, readWrite: true });
    rmSync(join(driver.home, 'l'), { recursive: true });
    unlinkSync(join(driver.home, BASE, 'link'));
    expect(() => driver.get(TOP)).toThrow(
      expect.objectContaining({ code: 'MOUNT_FAILED', message: expect.stringContaining('is lost') }),
    );
    expect(() => driver.create(MIDDLE, { parent: BASE, readWrite: true })).toThrow(
      expect.objectContaining({ code: 'LAYER_UNKNOWN' }),
    );
  });

  it('mounts layers whose directories another program made incompletely', async () => {
    await using fixture = await overlayFixture();
    const { driver } = fixture;
    driver.create(BASE, { readWrite: false });
    writeFileSync(join(driver.home, BASE, 'diff/file'), 'base');
    chmodSync(join(driver.home, BASE, 'diff'), 0o751);
    driver.create(TOP, { parent: BASE, readWrite: true });
    for (const name of ['diff', 'work', 'merged']) rmSync(join(driver.home, TOP, name), { recursive: true });
    expect(readFileSync(join(driver.get(TOP), 'file'), 'utf8')).toBe('base');
    driver.put(TOP);
    expect(modeOf(join(driver.home, TOP, 'diff'))).toBe('751');
  });
});
