import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined)(`openStore (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;

  beforeEach(() => {
    roots = new TempRoots();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('follows a storage.conf, and tells where each setting came from', async () => {
    const conf = join(roots.directory, 'storage.conf');
    writeFileSync(
      conf,
      `[storage]\ndriver = "vfs"\ngraphroot = "${roots.graphRoot}"\nrunroot = "${roots.runRoot}"\nbogus = 1\n`,
    );
    const store = await roots.open({
      driver: undefined,
      graphRoot: undefined,
      runRoot: undefined,
      configFile: conf,
    } as never);
    expect(store.graphRoot).toBe(roots.graphRoot);
    const info = await store.info();
    expect(info).toMatchObject({
      driver: 'vfs',
      access: 'shared',
      counts: { layers: 0, images: 0, containers: 0 },
    });
    expect(info.settings).toContainEqual(
      expect.objectContaining({ key: 'storage.graphroot', value: roots.graphRoot, source: conf }),
    );
    expect(roots.warnings).toContainEqual(expect.objectContaining({ code: 'CONFIG_KEY_UNKNOWN' }));
  });

  it('names every setting that has an effect, with its default', async () => {
    const store = await roots.open({ driver: 'vfs', driverOptions: ['sync=none'] });
    const { settings } = await store.info();
    expect(settings.map(({ key, value, source }) => `${key}=${value} (${source})`)).toEqual([
      'storage.driver=vfs (option)',
      `storage.graphroot=${roots.graphRoot} (option)`,
      `storage.runroot=${roots.runRoot} (option)`,
      'sync=none (option)',
      'storage.driver_priority= (default)',
      'storage.options.vfs.ignore_chown_errors=false (default)',
    ]);
  });

  it.each([
    ['an unknown driver', { driver: 'zfs9' }, 'DRIVER_UNKNOWN'],
    ['an unknown driver option', { driverOptions: ['overlay.bogus=1'] }, 'DRIVER_OPTION_UNKNOWN'],
    ['a missing config file', { configFile: '/does/not/exist.conf' }, 'CONFIG_NOT_FOUND'],
    ['a setting it cannot honour', { driverOptions: ['overlay.force_mask=0755'] }, 'NOT_SUPPORTED'],
  ])('refuses %s', async (_what, options, code) => {
    await expect(roots.open(options)).rejects.toMatchObject({ code, hint: expect.any(String) });
    expect(existsSync(roots.graphRoot)).toBe(false);
  });

  it('refuses a graph root that is a file', async () => {
    mkdirSync(roots.directory, { recursive: true });
    writeFileSync(roots.graphRoot, 'not a directory');
    await expect(roots.open()).rejects.toMatchObject({
      code: 'GRAPHROOT_UNUSABLE',
      message: expect.stringContaining(roots.graphRoot),
      hint: expect.any(String),
    });
  });

  it('refuses a graph root that cannot be made', async () => {
    await expect(roots.open({ graphRoot: '/proc/sediment' })).rejects.toMatchObject({
      code: 'GRAPHROOT_UNUSABLE',
      facts: { path: '/proc/sediment', errnoCode: 'ENOENT' },
      hint: expect.stringContaining('--root'),
    });
  });

  it('starts unpack threads at once if asked to, and ends them when it is closed or fails', async () => {
    const threads = () => readdirSync('/proc/self/task').length;
    const store = await roots.open({ driver: 'vfs', unpackSoon: true });
    await store.close();
    const before = threads();
    const other = await roots.open({ driver: 'vfs', unpackSoon: true });
    expect(threads()).toBeGreaterThan(before);
    await other.close();
    expect(threads()).toBe(before);
    const graphRoot = join(roots.directory, 'other');
    mkdirSync(graphRoot);
    writeFileSync(join(graphRoot, 'vfs'), 'no directory');
    const unusable = roots.open({ driver: 'vfs', graphRoot, unpackSoon: true });
    await expect(unusable).rejects.toThrow();
    expect(threads()).toBe(before);
  });

  it('works on the proper-lockfile backend', async () => {
    const store = await roots.open({ driver: 'vfs', lockBackend: 'proper-lockfile' });
    await store.images.put({ id: 'ab'.repeat(32), names: ['localhost/x:1'], bigData: [] });
    expect(await store.images.list()).toHaveLength(1);
    expect(roots.warnings).toContainEqual(expect.objectContaining({ code: 'LOCK_FALLBACK' }));
  });
});
