import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { lgetxattr, MNT_DETACH, umount2 } from '@sediment/posix';
import { describe, expect, it } from 'vitest';
import { mountsBelow } from '../../../../test/support/mounts.ts';
import { makeStoreRoot } from '../../../../test/support/storeRoot.ts';
import type { MountOptions } from '../../src/drivers/index.ts';
import { mountInChild } from '../../src/drivers/overlay/mountInChild.ts';
import { directoriesOf, isRoot, needsRoot, type OverlayFixture, overlayFixture } from './overlayFixture.ts';

const [BASE, MIDDLE, TOP] = ['1', '2', '3'].map((digit) => digit.repeat(64)) as [string, string, string];

function makeChain({ driver }: OverlayFixture): void {
  driver.create(BASE, { readWrite: false });
  writeFileSync(join(driver.home, BASE, 'diff/file'), 'base');
  driver.create(MIDDLE, { parent: BASE, readWrite: false });
  driver.create(TOP, { parent: MIDDLE, readWrite: true });
}

/** Each layer has a file of its own, and another content for one that all have. */
function makeLongChain({ driver }: OverlayFixture, length: number): string[] {
  const ids = Array.from({ length }, (_, i) => `layer${i}`);
  for (const [i, id] of ids.entries()) {
    driver.create(id, i === 0 ? { readWrite: false } : { parent: ids[i - 1] as string, readWrite: false });
    for (const name of [id, 'shared']) writeFileSync(join(driver.home, id, 'diff', name), id);
  }
  return ids;
}

function lowerPaths(home: string, id: string): string[] {
  const entries = readFileSync(join(home, id, 'lower'), 'utf8').split(':');
  return entries.map((entry) => `${home}/${entry}`);
}

describe.skipIf(!isRoot)(`overlay mounts${needsRoot}`, () => {
  it('have the directories of on-disk-format in their options', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver, mountOf } = fixture;
    const { home } = driver;
    const link = (id: string) => `${home}/l/${readFileSync(join(home, id, 'link'), 'utf8')}`;
    const upper = (id: string) => [`upperdir=${home}/${id}/diff`, `workdir=${home}/${id}/work`];
    const shown = (id: string, options?: MountOptions) => {
      expect(driver.get(id, options)).toBe(join(home, id, 'merged'));
      const mount = mountOf(id);
      driver.put(id);
      if (mount === undefined) throw new Error('not mounted');
      expect(mount.source).toBe('overlay');
      return [mount.options.split(',')[0], ...directoriesOf(mount)];
    };
    expect(shown(TOP)).toEqual(['rw', `lowerdir=${link(MIDDLE)}:${link(BASE)}`, ...upper(TOP)]);
    expect(shown(TOP, { readOnly: true })).toEqual([
      'ro',
      `lowerdir=${home}/${TOP}/diff:${link(MIDDLE)}:${link(BASE)}`,
    ]);
    expect(shown(MIDDLE, { options: ['ro'] })).toEqual([
      'ro',
      `lowerdir=${home}/${MIDDLE}/diff:${link(BASE)}`,
    ]);
    expect(shown(BASE)).toEqual(['rw', `lowerdir=${home}/${BASE}/empty`, ...upper(BASE)]);
    expect(shown(BASE, { readOnly: true })).toEqual([
      'ro',
      `lowerdir=${home}/${BASE}/diff:${home}/${BASE}/empty`,
    ]);
  });

  it('show the older diffs of id-shifted layers', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver } = fixture;
    for (const [id, name] of [
      [MIDDLE, 'diff1'],
      [MIDDLE, 'diff2'],
      [TOP, 'diff1'],
    ] as const) {
      mkdirSync(join(driver.home, id, name));
      writeFileSync(join(driver.home, id, name, `${id[0]}-${name}`), '');
    }
    expect(readdirSync(driver.get(TOP)).sort()).toEqual(['2-diff1', '2-diff2', '3-diff1', 'file']);
    const lowers = directoriesOf(fixture.mountOf(TOP) as never)[0]?.split(':');
    expect(lowers).toHaveLength(5);
    expect(lowers?.[0]).toBe(`lowerdir=${driver.home}/${TOP}/diff1`);
    expect(lowers?.[2]).toMatch(/\/l\/[A-Z2-7]{26}\/\.\.\/diff1$/);
    driver.put(TOP);
  });

  it('obey mountopt, unless the mount has options of its own', async () => {
    await using fixture = await overlayFixture(['overlay.mountopt=nodev,noexec,index=off']);
    makeChain(fixture);
    const { driver, mountOf } = fixture;
    const flags = (options?: MountOptions) => {
      driver.get(TOP, options);
      const mount = mountOf(TOP);
      driver.put(TOP);
      return mount?.options.split(',').filter((word) => word !== 'relatime');
    };
    expect(flags()).toEqual(['rw', 'nodev', 'noexec']);
    expect(flags({ options: ['nosuid'] })).toEqual(['rw', 'nosuid']);
    expect(flags({ options: ['nosuid', 'suid', 'noatime'] })).toEqual(['rw', 'noatime']);
    expect(flags({ readOnly: true })).toEqual(['ro']);
  });

  it('keep metacopy on for mounts with own options, and leave files in the lower layer', async () => {
    await using fixture = await overlayFixture(['mountopt=nodev,metacopy=on'], { on: 'ext4' });
    makeChain(fixture);
    const { driver, mountOf } = fixture;
    expect(Object.fromEntries(driver.status())['Using metacopy']).toBe('true');
    const merged = driver.get(TOP, { options: ['nosuid'] });
    expect(mountOf(TOP)?.superOptions).toContain('metacopy=on');
    expect(mountOf(TOP)?.options).toContain('nosuid');
    const { chmodSync } = await import('node:fs');
    chmodSync(join(merged, 'file'), 0o600);
    driver.put(TOP);
    expect(lgetxattr(join(driver.home, TOP, 'diff/file'), 'trusted.overlay.metacopy')).toBeDefined();
  });

  it('leave metacopy out where it does not work', async () => {
    await using store = makeStoreRoot();
    mkdirSync(join(store.runRoot, 'overlay'));
    writeFileSync(join(store.runRoot, 'overlay/metacopy(metacopy=on)-false'), '');
    const fixture = await overlayFixture(['mountopt=metacopy=on'], store);
    makeChain(fixture);
    fixture.driver.get(TOP);
    expect(fixture.mountOf(TOP)?.superOptions).not.toContain('metacopy');
    fixture.driver.put(TOP);
  });

  it('can be volatile again and again', async () => {
    await using fixture = await overlayFixture([], { on: 'ext4' });
    makeChain(fixture);
    for (const round of [1, 2]) {
      const merged = fixture.driver.get(TOP, { volatile: true });
      expect(fixture.mountOf(TOP)?.superOptions).toMatch(/volatile/);
      writeFileSync(join(merged, `round${round}`), '');
      fixture.driver.put(TOP);
      expect(existsSync(join(fixture.driver.home, TOP, 'work/work/incompat/volatile'))).toBe(true);
    }
    fixture.driver.get(TOP);
    fixture.driver.put(TOP);
  });

  it('leave an empty mount point behind, a fresh one', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const merged = fixture.driver.get(TOP);
    mkdirSync(join(fixture.driver.home, TOP, 'merged.1'));
    fixture.driver.put(TOP);
    expect(readdirSync(merged)).toEqual([]);
    expect(existsSync(join(fixture.driver.home, TOP, 'merged.1'))).toBe(false);
    expect(lstatSync(merged).mode & 0o7777).toBe(0o700);
    rmdirSync(merged);
    fixture.driver.put(TOP);
    expect(fixture.driver.get(TOP)).toBe(merged);
    fixture.driver.put(TOP);
  });

  it('are used when they are there, and survive a user who did not make them', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const other = await fixture.reopen();
    const merged = fixture.driver.get(TOP);
    expect(other.isMounted(merged)).toBe(true);
    other.get(TOP);
    expect(mountsBelow(merged)).toHaveLength(1);
    other.put(TOP);
    expect(other.isMounted(merged)).toBe(true);
    const third = await fixture.reopen();
    third.put(TOP);
    expect(mountsBelow(fixture.store.path)).toEqual([]);
    // Gone by another hand: the count starts anew.
    expect(readFileSync(join(fixture.driver.get(TOP), 'file'), 'utf8')).toBe('base');
    fixture.driver.put(TOP);
    expect(mountsBelow(fixture.store.path)).toEqual([]);
  });

  it('are taken away by remove, however often they were asked for', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    for (let i = 0; i < 3; i++) fixture.driver.get(TOP);
    const dir = fixture.temp.create();
    fixture.driver.remove(TOP, dir);
    expect(mountsBelow(fixture.store.path)).toEqual([]);
    dir.cleanup();
  });

  it('work below paths with colons, commas, backslashes and spaces', async () => {
    await using store = makeStoreRoot();
    const graphRoot = join(store.path, 'a:b,c\\d e');
    renameSync(store.graphRoot, graphRoot);
    const fixture = await overlayFixture([], { ...store, graphRoot } as typeof store);
    makeChain(fixture);
    expect(readFileSync(join(fixture.driver.get(TOP), 'file'), 'utf8')).toBe('base');
    fixture.driver.put(TOP);
    expect(readFileSync(join(fixture.driver.get(TOP, { readOnly: true }), 'file'), 'utf8')).toBe('base');
    fixture.driver.put(TOP);
    expect(mountsBelow(store.path)).toEqual([]);
  });

  it('have up to 500 layers below', async () => {
    await using fixture = await overlayFixture();
    const { driver } = fixture;
    const ids = makeLongChain(fixture, 502);
    for (const depth of [300, 500]) {
      const id = ids[depth] as string;
      const merged = driver.get(id, { options: ['nodev', 'noatime'] });
      expect(readdirSync(merged)).toHaveLength(depth + 2);
      expect(readFileSync(join(merged, 'shared'), 'utf8')).toBe(id);
      expect(fixture.mountOf(id)).toMatchObject({ source: 'overlay', options: 'rw,nodev,noatime' });
      const lowers = fixture.mountOf(id)?.superOptions.match(/lowerdir\+?=/g);
      expect(lowers).toHaveLength(depth);
      writeFileSync(join(merged, id), 'written');
      driver.put(id);
      expect(readFileSync(join(driver.home, id, 'diff', id), 'utf8')).toBe('written');
    }
    const readOnly = driver.get(ids[499] as string, { readOnly: true });
    expect(() => writeFileSync(join(readOnly, 'written'), '')).toThrow(/EROFS/);
    driver.put(ids[499] as string);

    const tooDeep = expect.objectContaining({
      code: 'MOUNT_FAILED',
      message: expect.stringContaining('max depth exceeded'),
    });
    expect(() => driver.get(ids[501] as string)).toThrow(tooDeep);
    expect(() => driver.get(ids[500] as string, { readOnly: true })).toThrow(tooDeep);
    expect(mountsBelow(fixture.store.path)).toEqual([]);
  });

  it('have as many where the kernel only takes one page of options', async () => {
    await using fixture = await overlayFixture();
    const { driver } = fixture;
    const ids = makeLongChain(fixture, 501);
    const target = join(fixture.store.path, 'target');
    mkdirSync(target);
    for (const depth of [100, 130, 300, 500]) {
      const id = ids[depth] as string;
      const lowers = lowerPaths(driver.home, id);
      const upper = { diff: join(driver.home, id, 'diff'), work: join(driver.home, id, 'work') };
      mountInChild({ lowers, upper, options: ['nodev'], target, base: driver.home });
      expect(readdirSync(target)).toHaveLength(depth + 2);
      expect(mountsBelow(target)[0]).toMatchObject({ source: 'overlay', options: 'rw,nodev,relatime' });
      umount2(target, MNT_DETACH);
    }
    const lowers = lowerPaths(driver.home, ids[500] as string);
    const long = { lowers, options: [`x=${'y'.repeat(3000)}`], target, base: driver.home };
    expect(() => mountInChild(long)).toThrow(
      expect.objectContaining({
        code: 'MOUNT_FAILED',
        message: expect.stringMatching(
          /^cannot mount layer, mount data "lowerdir=3:4:5:.*" too large \d+ >= page size 4096$/,
        ),
      }),
    );
    expect(() => mountInChild({ ...long, options: ['bogus=1'] })).toThrow(/mount\(8\) failed/);
    expect(mountsBelow(fixture.store.path)).toEqual([]);
  });

  it('of long chains work below long paths with colons, commas, backslashes and spaces', async () => {
    await using store = makeStoreRoot();
    const graphRoot = join(store.path, 'a:b,c\\d e', 'long'.repeat(50), 'path'.repeat(50));
    mkdirSync(dirname(graphRoot), { recursive: true });
    renameSync(store.graphRoot, graphRoot);
    const fixture = await overlayFixture([], { ...store, graphRoot } as typeof store);
    const top = makeLongChain(fixture, 61)[60] as string;
    for (const options of [{}, { readOnly: true }]) {
      expect(readdirSync(fixture.driver.get(top, options))).toHaveLength(62);
      fixture.driver.put(top);
    }
    expect(mountsBelow(store.path)).toEqual([]);
  });

  it('of long chains tell what the kernel refused', async () => {
    await using fixture = await overlayFixture();
    const top = makeLongChain(fixture, 200)[199] as string;
    expect(() => fixture.driver.get(top, { options: ['bogus=1'] })).toThrow(
      expect.objectContaining({
        code: 'MOUNT_FAILED',
        message: expect.stringMatching(/Unknown parameter 'bogus'/),
        facts: expect.objectContaining({ errnoCode: 'EINVAL', object: top }),
      }),
    );
    expect(mountsBelow(fixture.store.path)).toEqual([]);
  });

  it('tell what the kernel refused', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    expect(() => fixture.driver.get(TOP, { options: ['bogus=1'] })).toThrow(
      expect.objectContaining({
        code: 'MOUNT_FAILED',
        facts: expect.objectContaining({ errnoCode: 'EINVAL', syscall: 'mount', object: TOP }),
      }),
    );
    expect(mountsBelow(fixture.store.path)).toEqual([]);
  });

  it('refuse layers of composefs', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    mkdirSync(join(fixture.driver.home, BASE, 'composefs-data'));
    expect(() => fixture.driver.get(TOP)).toThrow(expect.objectContaining({ code: 'NOT_SUPPORTED' }));
  });
});

describe.skipIf(!isRoot)(`the private home${needsRoot}`, () => {
  it('is made for the first mount and taken back after the last', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver, homeMounts } = fixture;
    expect(homeMounts()).toHaveLength(0);
    driver.get(TOP);
    driver.get(MIDDLE, { readOnly: true });
    expect(homeMounts()).toHaveLength(1);
    driver.put(TOP);
    expect(homeMounts()).toHaveLength(1);
    const otherProcess = await fixture.reopen();
    otherProcess.put(MIDDLE);
    expect(homeMounts()).toHaveLength(0);
    expect(readdirSync(join(fixture.store.runRoot, 'sediment'))).toEqual([]);
  });

  it('stays away with skip_mount_home', async () => {
    await using fixture = await overlayFixture(['skip_mount_home=true']);
    makeChain(fixture);
    fixture.driver.get(TOP);
    expect(fixture.homeMounts()).toHaveLength(0);
    fixture.driver.put(TOP);
  });

  it('is left alone if another program made it, even at the place of ours', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver, homeMounts, store } = fixture;
    const { spawnSync } = await import('node:child_process');
    const bind = () => {
      spawnSync('mount', ['--bind', driver.home, driver.home]);
      spawnSync('mount', ['--make-private', driver.home]);
    };
    bind();
    driver.get(TOP);
    driver.put(TOP);
    driver.close();
    expect(homeMounts()).toHaveLength(1);
    umount2(driver.home, MNT_DETACH);

    // Ours is taken away by podman, which then makes its own: most likely with the same mount id.
    driver.get(TOP);
    umount2(join(driver.home, TOP, 'merged'), MNT_DETACH);
    umount2(driver.home, MNT_DETACH);
    bind();
    driver.get(MIDDLE);
    driver.put(MIDDLE);
    driver.close();
    expect(homeMounts()).toHaveLength(1);
    expect(readdirSync(join(store.runRoot, 'sediment'))).toEqual([]);
  });

  it('does not spoil a commit, whether it comes or goes while a tree is staged', async () => {
    await using fixture = await overlayFixture([], { on: 'ext4' });
    const { driver, temp, homeMounts } = fixture;
    const { spawnSync } = await import('node:child_process');
    const stage = (parent?: string) => {
      const tree = temp.create().stageAddition();
      driver.prepareStaged(tree, parent === undefined ? {} : { parent: { id: parent } });
      writeFileSync(join(tree, 'file'), 'staged');
      return tree;
    };
    const first = stage();
    spawnSync('mount', ['--bind', driver.home, driver.home]);
    expect(homeMounts()).toHaveLength(1);
    driver.commitStaged(first, BASE, {});
    const second = stage(BASE);
    umount2(driver.home, MNT_DETACH);
    driver.commitStaged(second, TOP, { parent: BASE });
    expect(statSync(join(driver.home, TOP, 'diff/file')).isFile()).toBe(true);
    expect(readFileSync(join(driver.get(TOP), 'file'), 'utf8')).toBe('staged');
    driver.put(TOP);
  });
});
