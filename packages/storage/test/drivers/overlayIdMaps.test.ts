import {
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { mountsBelow } from '../../../../test/support/mounts.ts';
import { IdMappings } from '../../src/idmaps/idMappings.ts';
import { parseIdMapTriples } from '../../src/idmaps/parseIdMapTriples.ts';
import { directoriesOf, isRoot, needsRoot, type OverlayFixture, overlayFixture } from './overlayFixture.ts';

const [BASE, MIDDLE, TOP] = ['1', '2', '3'].map((digit) => digit.repeat(64)) as [string, string, string];
const MAPS = mappings('0:100000:1000');

function mappings(text: string): IdMappings {
  return new IdMappings(parseIdMapTriples(text), parseIdMapTriples(text));
}

function ownerOf(path: string): string {
  const { uid, gid } = lstatSync(path);
  return `${uid}:${gid}`;
}

function makeChain({ driver }: OverlayFixture): void {
  driver.create(BASE, { readWrite: false });
  const diff = join(driver.home, BASE, 'diff');
  writeFileSync(join(diff, 'root'), 'base');
  mkdirSync(join(diff, 'dir'));
  symlinkSync('root', join(diff, 'dir/link'));
  writeFileSync(join(diff, 'stranger'), '');
  for (const [name, uid, gid] of [
    ['dir', 5, 6],
    ['stranger', 5000, 5000],
  ] as const) {
    chownSync(join(diff, name), uid, gid);
  }
  driver.create(MIDDLE, { parent: BASE, readWrite: false });
  driver.create(TOP, { parent: MIDDLE, readWrite: true });
}

describe.skipIf(!isRoot)(`overlay mounts with other ids${needsRoot}`, () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('show the layers below under the ids of the container, and change nothing there', async () => {
    await using fixture = await overlayFixture([], { on: 'ext4' });
    makeChain(fixture);
    const { driver } = fixture;
    expect(driver.supports.shifting).toBe(true);
    expect(Object.fromEntries(driver.status())['Supports shifting']).toBe('true');
    const merged = driver.get(TOP, { idMaps: MAPS });
    const owners = ['', 'root', 'dir', 'dir/link', 'stranger'].map((name) => ownerOf(join(merged, name)));
    expect(owners).toEqual([
      '100000:100000',
      '100000:100000',
      '100005:100006',
      '100000:100000',
      '65534:65534',
    ]);

    // A container writes with the ids of the host, and the kernel copies files up with theirs.
    writeFileSync(join(merged, 'dir/new'), '');
    chownSync(join(merged, 'dir/new'), 100007, 100007);
    writeFileSync(join(merged, 'root'), 'changed');
    driver.put(TOP);
    const diff = join(driver.home, TOP, 'diff');
    expect(['', 'root', 'dir', 'dir/new'].map((name) => ownerOf(join(diff, name)))).toEqual([
      '100000:100000',
      '100000:100000',
      '100005:100006',
      '100007:100007',
    ]);
    expect(ownerOf(join(driver.home, BASE, 'diff/dir'))).toBe('5:6');
    expect(readFileSync(join(driver.home, BASE, 'diff/root'), 'utf8')).toBe('base');
    expect(readdirSync(join(driver.home, TOP))).not.toContain('mapped');
    expect(ownerOf(join(driver.get(TOP), 'dir/new'))).toBe('100007:100007');
    driver.put(TOP);
    expect(mountsBelow(fixture.store.graphRoot)).toEqual([]);
  });

  it('name the mapped home in their options, and leave no mount of it', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver } = fixture;
    driver.get(TOP, { idMaps: MAPS });
    const [lowers] = directoriesOf(fixture.mountOf(TOP) as never);
    expect(lowers?.split(':')).toHaveLength(2);
    expect(lowers).toMatch(new RegExp(`^lowerdir=${driver.home}/${TOP}/mapped/0/l/[A-Z2-7]{26}:`));
    expect(mountsBelow(join(driver.home, TOP)).map(({ fstype }) => fstype)).toEqual(['overlay']);
    driver.put(TOP);
  });

  it('leave the root of a container alone that it gave to another of its users', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver } = fixture;
    const merged = driver.get(TOP, { idMaps: MAPS });
    chownSync(merged, 100003, 100003);
    driver.put(TOP);
    expect(ownerOf(driver.get(TOP, { idMaps: MAPS }))).toBe('100003:100003');
    driver.put(TOP);
  });

  it('take maps of several ranges, and of one kind of id', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver } = fixture;
    const several = parseIdMapTriples('0:100000:1:1:7:3:5:200000:1');
    const merged = driver.get(TOP, { idMaps: new IdMappings(several, []) });
    expect(ownerOf(join(merged, 'dir'))).toBe('200000:6');
    driver.put(TOP);
  });

  it('map a base layer and a chain of several homes', async () => {
    await using below = await overlayFixture();
    makeChain(below);
    await using fixture = await overlayFixture([], {}, [below.store.graphRoot]);
    const { driver } = fixture;
    driver.create('own', { parent: MIDDLE, readWrite: false });
    driver.create('box', { parent: 'own', readWrite: true });
    const merged = driver.get('box', { idMaps: MAPS });
    expect(ownerOf(join(merged, 'dir'))).toBe('100005:100006');
    expect(directoriesOf(fixture.mountOf('box') as never)[0]).toMatch(/mapped\/0\/l\/.*mapped\/1\/l\//);
    driver.put('box');
    driver.create('alone', { readWrite: true });
    expect(statSync(driver.get('alone', { idMaps: MAPS })).uid).toBe(100000);
    driver.put('alone');
    expect(mountsBelow(fixture.store.path)).toEqual([]);
    expect(mountsBelow(below.store.path)).toEqual([]);
  });

  it('clean up when the kernel refuses the maps or the mount', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver } = fixture;
    expect(() => driver.get(TOP, { idMaps: mappings('0:100000:10:5:200000:10') })).toThrow(
      expect.objectContaining({ code: 'INVALID_MAPPINGS' }),
    );
    expect(() => driver.get(TOP, { idMaps: MAPS, options: ['bogus=1'] })).toThrow(
      expect.objectContaining({ code: 'MOUNT_FAILED' }),
    );
    expect(readdirSync(join(driver.home, TOP))).not.toContain('mapped');
    expect(mountsBelow(fixture.store.path)).toEqual([]);
  });

  it('can be switched off, as in containers/storage', async () => {
    await using fixture = await overlayFixture();
    vi.stubEnv('_CONTAINERS_OVERLAY_DISABLE_IDMAP', 'yes');
    expect(fixture.driver.supports.shifting).toBe(false);
    expect(Object.fromEntries(fixture.driver.status())['Supports shifting']).toBe('false');
    vi.stubEnv('_CONTAINERS_OVERLAY_DISABLE_IDMAP', 'no');
    expect(fixture.driver.supports.shifting).toBe(true);
  });

  it('are not needed for a copy with other owners: what was changed becomes an older diff', async () => {
    await using fixture = await overlayFixture();
    makeChain(fixture);
    const { driver } = fixture;
    const maps = mappings('0:100000:10000');
    driver.createFromTemplate('copy', MIDDLE, { readWrite: false, templateMaps: new IdMappings(), maps });
    const at = (...names: string[]) => join(driver.home, 'copy', ...names);
    expect(readdirSync(at()).sort()).toEqual(['diff', 'diff1', 'link', 'lower', 'merged', 'work']);
    expect(readdirSync(at('diff'))).toEqual([]);
    expect(['diff', 'diff1', 'diff1/dir', 'work'].map((name) => ownerOf(at(name)))).toEqual([
      '100000:100000',
      '100000:100000',
      '100005:100006',
      '100000:100000',
    ]);
    expect(lstatSync(at('diff')).mode & 0o7777).toBe(0o555);
    expect(lstatSync(at('work')).mode & 0o7777).toBe(0o555);
    driver.create('box', { parent: 'copy', readWrite: true, idMaps: maps });
    const merged = driver.get('box');
    expect(['', 'root', 'dir', 'stranger'].map((name) => ownerOf(join(merged, name)))).toEqual([
      '100000:100000',
      '100000:100000',
      '100005:100006',
      '105000:105000',
    ]);
    driver.put('box');
    driver.updateIdMaps('copy', maps, mappings('0:200000:10000'));
    expect(
      readdirSync(at())
        .filter((name) => name.startsWith('diff'))
        .sort(),
    ).toEqual(['diff', 'diff1', 'diff2']);
    expect(ownerOf(join(driver.get('copy', { readOnly: true }), 'dir'))).toBe('200005:200006');
    driver.put('copy');
    expect(mountsBelow(fixture.store.path)).toEqual([]);
  });
});
