import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Warning } from '@sediment/core';
import { lsetxattr, mount } from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { type OpenDriverOptions, openDriver } from '../../src/drivers/index.ts';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65534;

describe.skipIf(!isRoot)('openDriver (needs root to mount)', () => {
  let store: StoreRoot;
  let warnings: Warning[];

  beforeEach(() => {
    store = makeStoreRoot();
    warnings = [];
  });
  afterEach(() => store.dispose());

  const open = (
    choice: Omit<OpenDriverOptions, 'context'> = {},
    place: { graphRoot?: string; options?: string[] } = {},
  ) =>
    openDriver({
      ...choice,
      context: {
        graphRoot: store.graphRoot,
        runRoot: store.runRoot,
        options: [],
        imageStores: [],
        onWarning: (warning) => warnings.push(warning),
        ...place,
      },
    });
  const failing = (code: string, message: RegExp | string = '') =>
    expect.objectContaining({
      code,
      message: message instanceof RegExp ? expect.stringMatching(message) : expect.stringContaining(message),
      hint: expect.any(String),
    });
  /** A graph root that lies on an overlay, which cannot hold another one. */
  const graphOnOverlay = (): string => {
    for (const name of ['lower', 'upper', 'work', 'on-overlay']) mkdirSync(join(store.path, name));
    const data = `lowerdir=${store.path}/lower,upperdir=${store.path}/upper,workdir=${store.path}/work`;
    const target = join(store.path, 'on-overlay');
    mount({ source: 'overlay', target, fstype: 'overlay', data });
    return target;
  };

  it('opens the driver that is named', async () => {
    expect((await open({ name: 'overlay' })).name).toBe('overlay');
    expect((await open({ name: 'vfs' })).name).toBe('vfs');
    expect(warnings).toEqual([]);
    expect((await open({ name: 'overlay2' })).name).toBe('overlay');
    expect(warnings.map(({ code }) => code)).toEqual(['CONFIG_KEY_DEPRECATED']);
  });

  it('knows no other drivers', async () => {
    for (const name of ['btrfs', 'zfs', 'bogus', 'toString']) {
      await expect(open({ name })).rejects.toThrow(failing('DRIVER_UNKNOWN', 'driver not supported'));
    }
  });

  it('takes overlay where nothing is said, and writes nothing without a probe', async () => {
    expect((await open({ probe: false })).name).toBe('overlay');
    expect(readdirSync(store.graphRoot)).toEqual([]);
    expect((await open()).name).toBe('overlay');
    expect((await open({ name: '' })).name).toBe('overlay');
    expect(warnings).toEqual([]);
  });

  it('takes the driver that the graph root already uses, unless it is vfs', async () => {
    mkdirSync(join(store.graphRoot, 'vfs'));
    expect((await open({ priority: ['overlay', 'vfs'] })).name).toBe('vfs');
    expect(warnings).toEqual([]);
    expect((await open()).name).toBe('overlay');
    await expect(open({ priority: ['vfs'] })).rejects.toThrow(
      failing('DRIVER_AMBIGUOUS', 'contains several valid graphdrivers: overlay, vfs; Please cleanup'),
    );
    mkdirSync(join(store.graphRoot, 'zfs'));
    await expect(open()).rejects.toThrow(failing('DRIVER_AMBIGUOUS', 'overlay, zfs'));
    expect((await open({ name: 'overlay' })).name).toBe('overlay');
  });

  it('does not hide a store of a driver that it does not have', async () => {
    mkdirSync(join(store.graphRoot, 'btrfs'));
    await expect(open()).rejects.toThrow(failing('DRIVER_UNKNOWN', 'btrfs'));
  });

  it('goes on to vfs where overlay cannot work, and says why', async () => {
    const graphRoot = graphOnOverlay();
    await expect(open({ name: 'overlay' }, { graphRoot })).rejects.toThrow(
      failing(
        'DRIVER_PREREQUISITES',
        "'overlay' is not supported over overlayfs, a mount_program is required",
      ),
    );
    expect(readdirSync(graphRoot)).toEqual([]);
    const driver = await open({}, { graphRoot });
    expect(driver.name).toBe('vfs');
    expect(warnings).toEqual([
      expect.objectContaining({
        code: 'DRIVER_FALLBACK',
        message: expect.stringContaining('not supported over overlayfs'),
      }),
    ]);
    expect(readdirSync(graphRoot)).toEqual(['vfs']);
    await expect(open({ priority: ['overlay', 'zfs'] }, { graphRoot })).rejects.toThrow(
      failing('DRIVER_PREREQUISITES', /none of the drivers overlay, zfs works: 'overlay' is not supported/),
    );
  });

  it('warns of no fallback where vfs was preferred', async () => {
    expect((await open({ priority: ['vfs', 'overlay'] })).name).toBe('vfs');
    expect(warnings).toEqual([]);
  });

  it('does not leave a store that overlay cannot use any more', async () => {
    await open();
    const cached = join(store.runRoot, 'overlay/overlay');
    const { renameSync } = await import('node:fs');
    renameSync(`${cached}-true`, `${cached}-false`);
    writeFileSync(`${cached}-false`, 'the kernel was changed');
    await expect(open()).rejects.toThrow(failing('DRIVER_PREREQUISITES', 'the kernel was changed'));
    expect(existsSync(join(store.graphRoot, 'vfs'))).toBe(false);
    expect(existsSync(join(store.graphRoot, 'overlay'))).toBe(true);
  });

  it('leaves no trace of a driver that did not work', async () => {
    mkdirSync(join(store.runRoot, 'overlay'));
    writeFileSync(join(store.runRoot, 'overlay/overlay-false'), 'no');
    const driver = await open();
    expect(driver.name).toBe('vfs');
    expect(readdirSync(store.graphRoot)).toEqual(['vfs']);
  });

  it('does not take a full disk for a missing feature', async () => {
    mount({ source: 'tmpfs', target: store.graphRoot, fstype: 'tmpfs', data: 'nr_inodes=6' });
    await expect(open({ name: 'overlay' })).rejects.toThrow(failing('NO_SPACE'));
    expect(readdirSync(join(store.runRoot, 'overlay'))).toEqual([]);
    expect(readdirSync(store.graphRoot)).toEqual([]);
  });

  it('does not mix with a mount program', async () => {
    await open();
    const flag = join(store.graphRoot, 'overlay/.has-mount-program');
    expect(readFileSync(flag, 'utf8')).toBe('false');
    writeFileSync(flag, 'true');
    await expect(open()).rejects.toThrow(failing('DRIVER_PREREQUISITES', 'mount program'));
  });

  it('finds the layers of a mount program where nobody noted it', async () => {
    const home = join(store.graphRoot, 'overlay');
    const flag = join(home, '.has-mount-program');
    for (const mark of [
      () => writeFileSync(join(home, 'x/diff/d/.wh.gone'), ''),
      () => lsetxattr(join(home, 'x/diff/d'), 'user.containers.override_stat', Buffer.from('0:0:0755')),
    ]) {
      mkdirSync(join(home, 'x/diff/d'), { recursive: true });
      mark();
      await expect(open()).rejects.toThrow(failing('DRIVER_PREREQUISITES', 'mount program'));
      expect(readFileSync(flag, 'utf8')).toBe('true');
      const { rmSync } = await import('node:fs');
      rmSync(home, { recursive: true });
    }
    mkdirSync(join(home, 'x/diff/d'), { recursive: true });
    expect((await open()).name).toBe('overlay');
  });

  it('tells users without privilege what overlay needs', async () => {
    for (const path of [store.path, store.graphRoot, store.runRoot]) {
      chownSync(path, NOBODY, NOBODY);
      chmodSync(path, 0o755);
    }
    process.seteuid?.(NOBODY);
    try {
      await expect(open({ name: 'overlay' })).rejects.toThrow(failing('DRIVER_PREREQUISITES', 'root'));
      expect((await open()).name).toBe('vfs');
    } finally {
      process.seteuid?.(0);
    }
    expect(warnings.map(({ code }) => code)).toEqual(['DRIVER_FALLBACK']);
  });

  it('fails on options of the driver rather than going on to vfs with other ones', async () => {
    await expect(open({}, { options: ['overlay.bogus=1'] })).rejects.toThrow(
      failing('DRIVER_OPTION_UNKNOWN'),
    );
    await expect(open({}, { options: ['overlay.force_mask=0755'] })).rejects.toThrow(
      failing('NOT_SUPPORTED', 'force_mask'),
    );
    expect(existsSync(join(store.graphRoot, 'vfs'))).toBe(false);
  });

  it('mounts with the kernel where a mount program is configured, and says so', async () => {
    await open({}, { options: ['overlay.mount_program=/usr/bin/fuse-overlayfs'] });
    expect(warnings.map(({ code, object }) => [code, object])).toEqual([
      ['MOUNT_PROGRAM_UNUSED', '/usr/bin/fuse-overlayfs'],
    ]);
  });
});
