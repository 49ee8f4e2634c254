import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Warning } from '@sediment/core';
import { lgetxattr } from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountsBelow } from '../../../../test/support/mounts.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { copyTree } from '../../src/copy/copyTree.ts';
import type { Driver, DriverContext, DriverName } from '../../src/drivers/index.ts';
import { IdMappings } from '../../src/idmaps/idMappings.ts';
import { parseIdMapTriples } from '../../src/idmaps/parseIdMapTriples.ts';
import { TempDirRoot } from '../../src/staging/tempDirRoot.ts';

export interface ConformanceSubject {
  readonly name: DriverName;
  /** An unopened driver. */
  make(context: DriverContext): Driver;
  /** Where the content of a layer itself lies. */
  contentOf(driver: Driver, id: string): string;
}

const BASE = 'b'.repeat(64);
const CHILD = 'c'.repeat(64);
const TOP = 'd'.repeat(64);

function mappings(text: string): IdMappings {
  return new IdMappings(parseIdMapTriples(text), parseIdMapTriples(text));
}

/** Without the mount of the file system that the store lies on. */
function mountsIn({ path }: StoreRoot) {
  return mountsBelow(path).filter(({ mountPoint }) => mountPoint !== path);
}

function rootsOf({ graphRoot, runRoot }: StoreRoot) {
  return { graphRoot, runRoot };
}

interface Seen {
  readonly type: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly nlink: number;
  readonly capabilities: string;
  /** Equal for names of one file. */
  readonly ino: string;
}

/** What a tree shows of owners and of what depends on them. */
function compareView(root: string): Record<string, Seen> {
  const first = new Map<number, string>();
  return Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((name) => {
        const path = join(root, name);
        const { mode, uid, gid, mtimeMs, nlink, ino } = lstatSync(path);
        if (!first.has(ino)) first.set(ino, name);
        const capabilities = lgetxattr(path, 'security.capability')?.toString('hex') ?? '';
        const same = first.get(ino) as string;
        const links = (mode & 0o170000) === 0o040000 ? 0 : nlink;
        return [name, { type: mode, uid, gid, mtime: mtimeMs, nlink: links, capabilities, ino: same }];
      }),
  );
}

function shifted(view: Record<string, Seen>, shift: (id: number) => number): Record<string, Seen> {
  return Object.fromEntries(
    Object.entries(view).map(([name, seen]) => [
      name,
      { ...seen, uid: shift(seen.uid), gid: shift(seen.gid) },
    ]),
  );
}

function readTree(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => `${name} ${lstatSync(join(root, name)).mtimeMs}`);
}

/** What every driver does; run it on each, on every file system that matters. */
export function driverConformance(subject: ConformanceSubject, on: 'tmpfs' | 'ext4'): void {
  describe(`driver ${subject.name} on ${on} conforms`, () => {
    let store: StoreRoot;
    let driver: Driver;
    let temp: TempDirRoot;
    let warnings: Warning[];

    const context = (): DriverContext => ({
      graphRoot: store.graphRoot,
      runRoot: store.runRoot,
      options: [],
      imageStores: [],
      onWarning: (warning) => warnings.push(warning),
    });
    /** With what an unpack job does before it unpacks. */
    const prepare = (tree: string, options: Parameters<Driver['prepareStaged']>[1]): void => {
      const base = driver.prepareStaged(tree, options);
      if (base === undefined) return;
      copyTree(base, tree, { ignoreChownErrors: false, onWarning: (warning) => warnings.push(warning) });
    };
    const stage = (parent: string | undefined, fill: (tree: string) => void): string => {
      const tree = temp.create().stageAddition();
      prepare(tree, parent === undefined ? {} : { parent: { id: parent } });
      fill(tree);
      return tree;
    };
    const addLayer = (id: string, parent: string | undefined, fill: (tree: string) => void): void => {
      driver.commitStaged(stage(parent, fill), id, parent === undefined ? {} : { parent });
    };
    const addTwoLayers = (): void => {
      addLayer(BASE, undefined, (tree) => {
        writeFileSync(join(tree, 'base'), 'base');
        writeFileSync(join(tree, 'both'), 'base');
      });
      addLayer(CHILD, BASE, (tree) => {
        writeFileSync(join(tree, 'child'), 'child');
        writeFileSync(join(tree, 'both'), 'child');
      });
    };
    const attributesOf = (path: string): string => {
      const { mode, uid, gid } = statSync(path);
      return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
    };
    const readAll = (fd: number): string => {
      try {
        return readFileSync(fd, 'utf8');
      } finally {
        closeSync(fd);
      }
    };

    beforeEach(async () => {
      store = makeStoreRoot({ driver: subject.name, on });
      warnings = [];
      driver = subject.make(context());
      await driver.open();
      temp = new TempDirRoot(join(driver.home, 'tempdirs'));
    });
    afterEach(() => store.dispose());

    it('has its home below the graph root and no layers at first', () => {
      expect(driver.name).toBe(subject.name);
      expect(driver.home).toBe(join(store.graphRoot, subject.name));
      expect(attributesOf(driver.home)).toBe('700 0:0');
      expect(driver.list()).toEqual([]);
      expect(driver.exists(BASE)).toBe(false);
      expect(mountsBelow(driver.home)).toEqual([]);
    });

    it('shows a layer with what lies below it, and cleans up behind the mount', () => {
      addTwoLayers();
      driver.create(TOP, { parent: CHILD, readWrite: true });
      expect(driver.list()).toEqual([BASE, CHILD, TOP]);
      const root = driver.get(TOP);
      expect(driver.isMounted(root)).toBe(true);
      expect(readdirSync(root).sort()).toEqual(['base', 'both', 'child']);
      expect(readFileSync(join(root, 'both'), 'utf8')).toBe('child');
      writeFileSync(join(root, 'both'), 'top');
      writeFileSync(join(root, 'new'), 'top');
      driver.put(TOP);
      driver.close();
      expect(mountsBelow(driver.home)).toEqual([]);
      expect(readFileSync(join(subject.contentOf(driver, TOP), 'new'), 'utf8')).toBe('top');
      expect(readFileSync(join(subject.contentOf(driver, CHILD), 'both'), 'utf8')).toBe('child');
      expect(readFileSync(join(driver.get(TOP), 'both'), 'utf8')).toBe('top');
      driver.put(TOP);
      expect(warnings).toEqual([]);
    });

    it('mounts once for several users', () => {
      addTwoLayers();
      const first = driver.get(CHILD);
      expect(driver.get(CHILD)).toBe(first);
      driver.put(CHILD);
      expect(driver.isMounted(first)).toBe(true);
      expect(readFileSync(join(first, 'base'), 'utf8')).toBe('base');
      driver.put(CHILD);
      driver.put(CHILD);
      expect(mountsBelow(driver.home)).toEqual([]);
    });

    it('stages a child on a staged parent', () => {
      const below = stage(undefined, (tree) => writeFileSync(join(tree, 'base'), 'base'));
      chmodSync(below, 0o711);
      chownSync(below, 7, 8);
      const above = temp.create().stageAddition();
      prepare(above, { parent: { staged: below } });
      expect(attributesOf(above)).toBe('711 7:8');
      writeFileSync(join(above, 'child'), 'child');
      driver.commitStaged(below, BASE, {});
      driver.commitStaged(above, CHILD, { parent: BASE });
      expect(existsSync(above)).toBe(false);
      expect(readdirSync(driver.get(CHILD)).sort()).toEqual(['base', 'child']);
      driver.put(CHILD);
    });

    it('gives the root its mode and owner whatever the umask is: 0555, or as the parent has it', () => {
      const before = process.umask(0o077);
      try {
        addLayer(BASE, undefined, () => undefined);
        expect(attributesOf(subject.contentOf(driver, BASE))).toBe('555 0:0');
        chmodSync(subject.contentOf(driver, BASE), 0o751);
        chownSync(subject.contentOf(driver, BASE), 1234, 5678);
        addLayer(CHILD, BASE, () => undefined);
        driver.create(TOP, { parent: CHILD, readWrite: true });
        for (const id of [CHILD, TOP]) {
          expect(attributesOf(subject.contentOf(driver, id))).toBe('751 1234:5678');
        }
        expect(attributesOf(driver.get(TOP))).toBe('751 1234:5678');
        driver.put(TOP);
      } finally {
        process.umask(before);
      }
    });

    it('removes layers through a staging directory', () => {
      addTwoLayers();
      driver.get(CHILD);
      const dir = temp.create();
      driver.remove(CHILD, dir);
      driver.remove(CHILD, dir);
      expect(driver.list()).toEqual([BASE]);
      expect(readdirSync(dir.path)).not.toEqual([]);
      dir.cleanup();
      expect(mountsBelow(driver.home)).toEqual([]);
      driver.put(CHILD);
    });

    it('replaces what an interrupted program left, with a warning', () => {
      driver.create(BASE, { readWrite: false });
      writeFileSync(join(subject.contentOf(driver, BASE), 'old'), '');
      addLayer(BASE, undefined, (tree) => writeFileSync(join(tree, 'new'), ''));
      expect(readdirSync(subject.contentOf(driver, BASE))).toEqual(['new']);
      driver.create(BASE, { readWrite: true });
      expect(readdirSync(subject.contentOf(driver, BASE))).toEqual([]);
      expect(warnings.map(({ code }) => code)).toEqual(['DEBRIS_REMOVED', 'DEBRIS_REMOVED']);
    });

    it('leaves nothing behind when a layer cannot be made', () => {
      const before = readdirSync(driver.home).sort();
      expect(() => driver.commitStaged(join(driver.home, 'missing'), CHILD, {})).toThrow(
        expect.objectContaining({ name: 'StorageError' }),
      );
      expect(() => driver.create(CHILD, { parent: BASE, readWrite: true })).toThrow(
        expect.objectContaining({ code: 'LAYER_UNKNOWN' }),
      );
      expect(readdirSync(driver.home).sort()).toEqual(before);
      expect(driver.list()).toEqual([]);
    });

    it('knows no layer that is not there', () => {
      const unknown = expect.objectContaining({ code: 'LAYER_UNKNOWN' });
      expect(() => driver.get(TOP)).toThrow(unknown);
      expect(() => driver.metadata(TOP)).toThrow(unknown);
      expect(() => driver.openFile(TOP, Buffer.from('x'))).toThrow(unknown);
      expect(() => driver.prepareStaged(join(store.path, 'x'), { parent: { id: TOP } })).toThrow(unknown);
      driver.put(TOP);
    });

    it('refuses ids that are no name of a layer', () => {
      for (const id of ['', '.', '..', '../x', 'a/b', '.hidden', 'a\0b']) {
        expect(driver.exists(id)).toBe(false);
        expect(() => driver.create(id, { readWrite: false })).toThrow(TypeError);
      }
    });

    it('opens files of a layer and of those below', () => {
      addTwoLayers();
      const odd = Buffer.from([0x64, 0x2f, 0xff, 0xe9]);
      const inner = Buffer.concat([Buffer.from(`${subject.contentOf(driver, CHILD)}/`), odd]);
      mkdirSync(join(subject.contentOf(driver, CHILD), 'd'));
      writeFileSync(inner, 'odd');
      for (const [name, content] of [
        ['./child', 'child'],
        ['both', 'child'],
        ['/base', 'base'],
        ['d/../../../child', 'child'],
      ] as const) {
        expect(readAll(driver.openFile(CHILD, Buffer.from(name)))).toBe(content);
      }
      expect(readAll(driver.openFile(CHILD, odd))).toBe('odd');
    });

    it('opens nothing outside of the layer and nothing but regular files', () => {
      const secret = join(store.path, 'secret');
      writeFileSync(secret, 'secret');
      addLayer(BASE, undefined, (tree) => {
        mkdirSync(join(tree, 'dir'));
        writeFileSync(join(tree, 'dir/inside'), 'inside');
        symlinkSync('/', join(tree, 'dir/root'));
        symlinkSync(store.path, join(tree, 'absolute'));
        symlinkSync('../../../../../../../../../../..', join(tree, 'relative'));
        symlinkSync(secret, join(tree, 'file'));
        symlinkSync('loop', join(tree, 'loop'));
        spawnSync('mkfifo', [join(tree, 'fifo')]);
        spawnSync('mknod', [join(tree, 'null'), 'c', '1', '3']);
      });
      expect(readAll(driver.openFile(BASE, Buffer.from('dir/root/dir/inside')))).toBe('inside');
      for (const name of [
        'absolute/secret',
        `relative${secret}`,
        `dir/root${secret}`,
        `../../../../../../..${secret}`,
        'file',
        'loop/x',
        'fifo',
        'null',
        'dir',
        'dir/inside/x',
        '',
        'missing',
      ]) {
        expect(() => driver.openFile(BASE, Buffer.from(name)), name).toThrow(
          expect.objectContaining({ code: 'FILE_INTEGRITY' }),
        );
      }
    });

    it('reads without being opened, and finds layers that another object made', () => {
      addTwoLayers();
      const reader = subject.make(context());
      expect(reader.list()).toEqual([BASE, CHILD]);
      expect(reader.metadata(CHILD)).toEqual(driver.metadata(CHILD));
      expect(readAll(reader.openFile(CHILD, Buffer.from('base')))).toBe('base');
      expect(reader.status().map(([key]) => key)).toEqual(driver.status().map(([key]) => key));
    });

    it('notices when its home is not the one that was opened', () => {
      addTwoLayers();
      spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', driver.home]);
      const moved = expect.objectContaining({ code: 'GRAPHROOT_UNUSABLE' });
      expect(() => driver.create(TOP, { readWrite: true })).toThrow(moved);
      expect(() => driver.get(CHILD)).toThrow(moved);
      expect(() => driver.commitStaged('x', TOP, {})).toThrow(moved);
    });

    it('refuses storage options of containers', () => {
      const refused = expect.objectContaining({
        code: 'NOT_SUPPORTED',
        message: expect.stringMatching(/^--storage-opt is (not )?supported /),
      });
      const storageOptions = { size: '1G' };
      expect(() => driver.create(TOP, { readWrite: true, storageOptions })).toThrow(refused);
      driver.create(TOP, { readWrite: true, storageOptions: {} });
    });

    it('finds layers of additional stores and never changes them', async () => {
      addTwoLayers();
      const before = readTree(store.graphRoot);
      await using other = makeStoreRoot({ driver: subject.name, on });
      const above = subject.make({ ...context(), ...rootsOf(other), imageStores: [store.graphRoot] });
      await above.open();
      expect(above.placeOf(CHILD)).toBe('additional');
      expect(above.exists(CHILD)).toBe(true);
      expect(above.list()).toEqual([]);
      expect(readAll(above.openFile(CHILD, Buffer.from('base')))).toBe('base');
      expect(above.metadata(CHILD)).toMatchObject(
        subject.name === 'vfs' ? {} : { UpperDir: join(driver.home, CHILD, 'diff') },
      );

      const readOnly = above.get(CHILD, { readOnly: true });
      expect(readdirSync(readOnly).sort()).toEqual(['base', 'both', 'child']);
      above.put(CHILD);
      above.create(TOP, { parent: CHILD, readWrite: true });
      expect(above.placeOf(TOP)).toBe('own');
      const root = above.get(TOP);
      expect(readFileSync(join(root, 'both'), 'utf8')).toBe('child');
      writeFileSync(join(root, 'both'), 'top');
      above.put(TOP);

      const dir = new TempDirRoot(join(above.home, 'tempdirs')).create();
      above.remove(CHILD, dir);
      expect(readdirSync(dir.path)).toEqual([]);
      dir.cleanup();
      above.close();
      expect(mountsIn(store)).toEqual([]);
      expect(mountsIn(other)).toEqual([]);
      expect(readTree(store.graphRoot)).toEqual(before);
      expect(readdirSync(join(other.runRoot)).sort()).not.toContain(CHILD);
    });

    it('makes layers that are not written to in a split image store', async () => {
      const imageStore = join(store.path, 'images');
      mkdirSync(imageStore);
      const split = subject.make({ ...context(), imageStore });
      await split.open();
      const imageTemp = new TempDirRoot(join(imageStore, subject.name, 'tempdirs'));
      const tree = imageTemp.create().stageAddition();
      split.prepareStaged(tree, {});
      writeFileSync(join(tree, 'base'), 'base');
      split.commitStaged(tree, BASE, {});
      split.create(CHILD, { parent: BASE, readWrite: false });
      split.create(TOP, { parent: CHILD, readWrite: true });
      expect([BASE, CHILD, TOP].map((id) => split.placeOf(id))).toEqual(['images', 'images', 'own']);
      expect(driver.list()).toEqual([TOP]);
      expect(split.list()).toEqual([BASE, CHILD, TOP]);
      const root = split.get(TOP);
      expect(readFileSync(join(root, 'base'), 'utf8')).toBe('base');
      split.put(TOP);
      expect(readdirSync(split.get(CHILD, { readOnly: true }))).toEqual(['base']);
      split.put(CHILD);
      const dir = imageTemp.create();
      split.remove(CHILD, dir);
      dir.cleanup();
      expect(split.list()).toEqual([BASE, TOP]);
      split.close();
      expect(mountsIn(store)).toEqual([]);
    });

    it('gives a copy of a layer other owners, and changes nothing else', () => {
      addLayer(BASE, undefined, (tree) => {
        for (const name of ['file', 'setuid', 'capable']) writeFileSync(join(tree, name), name);
        linkSync(join(tree, 'file'), join(tree, 'hard'));
        symlinkSync('missing', join(tree, 'symlink'));
        mkdirSync(join(tree, 'dir'));
        for (const [i, name] of ['file', 'setuid', 'symlink', 'dir'].entries()) {
          lchownSync(join(tree, name), i, i + 1);
        }
        linkSync(join(tree, 'file'), join(tree, 'dir/hard'));
        chmodSync(join(tree, 'setuid'), 0o6755);
        spawnSync('setcap', ['cap_net_raw=ep', join(tree, 'capable')]);
        for (const name of ['file', 'dir']) utimesSync(join(tree, name), 1, 1.5);
      });
      driver.create(CHILD, { parent: BASE, readWrite: false });
      const before = compareView(driver.get(CHILD));
      driver.put(CHILD);
      const none = new IdMappings();
      const maps = mappings('0:100000:3:3:200000:1000');
      driver.createFromTemplate(TOP, CHILD, { readWrite: false, templateMaps: none, maps });
      const root = driver.get(TOP);
      const after = compareView(root);
      expect(after).toEqual(shifted(before, (id) => (id < 3 ? 100000 + id : 200000 + id - 3)));
      expect(after.file?.ino).toBe(after['dir/hard']?.ino);
      driver.put(TOP);

      driver.updateIdMaps(TOP, maps, mappings('0:300000:1000'));
      expect(compareView(driver.get(TOP))).toEqual(shifted(before, (id) => 300000 + id));
      driver.put(TOP);
      expect(compareView(driver.get(CHILD))).toEqual(before);
      driver.put(CHILD);
      expect(() => driver.updateIdMaps(TOP, mappings('0:5:1'), maps)).toThrow(
        expect.objectContaining({ code: 'ID_UNMAPPED' }),
      );
      expect(compareView(driver.get(TOP))).toEqual(shifted(before, (id) => 300000 + id));
      driver.put(TOP);
      driver.close();
      expect(mountsIn(store)).toEqual([]);
    });

    it('leaves nothing of a copy whose owners cannot be changed', () => {
      addLayer(BASE, undefined, (tree) => {
        writeFileSync(join(tree, 'file'), '');
        chownSync(join(tree, 'file'), 70000, 0);
      });
      const options = { readWrite: false, templateMaps: mappings('0:0:10'), maps: mappings('0:5:10') };
      expect(() => driver.createFromTemplate(TOP, BASE, options)).toThrow(
        expect.objectContaining({ code: 'ID_UNMAPPED' }),
      );
      expect(driver.list()).toEqual([BASE]);
      expect(mountsIn(store)).toEqual([]);
    });

    it('gives what it makes to root of the maps', () => {
      driver.create(BASE, { readWrite: false, idMaps: mappings('0:1234:10') });
      expect(attributesOf(subject.contentOf(driver, BASE))).toBe('555 1234:1234');
      expect(() => driver.create(CHILD, { readWrite: false, idMaps: mappings('5:1:10') })).toThrow(
        expect.objectContaining({ code: 'ID_UNMAPPED' }),
      );
    });

    it('refuses unknown options', () => {
      expect(() => subject.make({ ...context(), options: ['bogus=1'] })).toThrow(
        expect.objectContaining({
          code: 'DRIVER_OPTION_UNKNOWN',
          message: 'unknown option "bogus" ("bogus=1")',
        }),
      );
      subject.make({
        ...context(),
        options: ['zfs.mountopt=x', 'Ignore_Chown_Errors=TRUE', 'sync=filesystem'],
      });
    });

    it('writes the file system out before a layer becomes part of the store, if asked to', async () => {
      driver = subject.make({ ...context(), options: ['sync=filesystem'] });
      await driver.open();
      addTwoLayers();
      expect(driver.list()).toEqual([BASE, CHILD]);
    });
  });
}
