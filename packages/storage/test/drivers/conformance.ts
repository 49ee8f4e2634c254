import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Warning } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountsBelow } from '../../../../test/support/mounts.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import type { Driver, DriverContext, DriverName } from '../../src/drivers/index.ts';
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
    const stage = (parent: string | undefined, fill: (tree: string) => void): string => {
      const tree = temp.create().stageAddition();
      driver.prepareStaged(tree, parent === undefined ? {} : { parent: { id: parent } });
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
      driver.prepareStaged(above, { parent: { staged: below } });
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

    it('refuses additional image stores and unknown options', () => {
      expect(() => subject.make({ ...context(), imageStores: ['/elsewhere'] })).toThrow(
        expect.objectContaining({ code: 'NOT_SUPPORTED' }),
      );
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
