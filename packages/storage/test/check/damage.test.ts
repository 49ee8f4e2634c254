import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CheckReport, isSound, type LayerInfo, type Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const IMAGE = 'ab'.repeat(32);

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `damage of every kind is found, and nothing else: %s (${noStore ?? 'root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;
    let base: LayerInfo;
    let top: LayerInfo;

    /** The directory of a layer's own files. */
    const files = (layer: LayerInfo) =>
      driver === 'overlay'
        ? join(roots.graphRoot, 'overlay', layer.id, 'diff')
        : join(roots.graphRoot, 'vfs/dir', layer.id);
    const records = (kind: string) => join(roots.graphRoot, `${driver}-${kind}`, `${kind}.json`);
    const edit = (kind: string, change: (records: Record<string, unknown>[]) => unknown) =>
      writeFileSync(records(kind), JSON.stringify(change(JSON.parse(readFileSync(records(kind), 'utf8')))));

    function topLayer() {
      const tree = join(roots.directory, 'top');
      mkdirSync(join(tree, 'opt/app.dir'), { recursive: true });
      symlinkSync('app', join(tree, 'opt/app.link'));
      writeFileSync(join(tree, 'opt/app.empty'), '');
      writeFileSync(join(tree, 'opt/app.dir/empty'), '');
      linkSync(join(tree, 'opt/app.empty'), join(tree, 'opt/app.hard'));
      return layerOf(roots.directory, 'top', { 'etc/': '', 'etc/motd': 'changed\n', 'opt/app': 'app' });
    }

    beforeEach(async () => {
      roots = new TempRoots();
      store = await roots.open({ driver });
      const chain = [
        layerOf(roots.directory, 'base', {
          'etc/': '',
          'etc/passwd': 'root\n',
          'etc/motd': 'hello\n',
          'bin/sh': 'shell',
        }),
        topLayer(),
      ];
      [base, top] = (await store.layers.addChain(chain)) as [LayerInfo, LayerInfo];
      await store.images.put({
        id: IMAGE,
        names: ['localhost/app:1'],
        layer: top.id,
        bigData: [{ name: 'manifest', bytes: Buffer.from('{}') }],
      });
      await store.containers.create({ image: IMAGE, names: ['box'] });
      expect(isSound(await store.check())).toBe(true);
    });
    afterEach(async () => {
      await roots.cleanup();
    });

    const texts = (list: CheckReport['layers'], id: string) =>
      list.find((object) => object.id === id)?.findings.map(({ text }) => text) ?? [];

    it('content of a file', async () => {
      const path = join(files(base), 'etc/passwd');
      const { mtimeMs } = { mtimeMs: Date.now() };
      writeFileSync(path, 'toor\n');
      utimesSync(path, mtimeMs / 1000, mtimeMs / 1000);
      const report = await store.check({ quick: true });
      const text = `layer ${base.id}: file integrity checksum failed for "./etc/passwd"`;
      expect(texts(report.layers, base.id)).toEqual([text]);
      expect(texts(report.images, IMAGE)).toEqual([text]);
      expect(report.containers[0]?.findings.map((each) => each.text)).toEqual([text]);
    });

    it('a lost file', async () => {
      unlinkSync(join(files(base), 'etc/passwd'));
      const report = await store.check({ quick: true });
      expect(texts(report.layers, base.id)).toEqual([
        `layer ${base.id}: open ${join(files(base), 'etc/passwd')}: no such file or directory`,
      ]);
    });

    it.each<[string, (path: string) => void, RegExp]>([
      ['mode', (path) => chmodSync(path, 0o600), /\/opt\/app\(mode:0644￫0600\)/],
      ['owner', (path) => chownSync(path, 7, 8), /\/opt\/app\(uid:0￫7,gid:0￫8\)/],
      ['mtime', (path) => utimesSync(path, 1e9, 1e9), /\/opt\/app\(mtime:0x[0-9a-f]+￫0x3b9aca00\)/],
      [
        'type',
        (path) => {
          rmSync(`${path}.empty`);
          symlinkSync('app', `${path}.empty`);
        },
        /\/opt\/app\.empty\(filetype:48￫50,/,
      ],
      [
        'file instead of a directory',
        (path) => {
          rmSync(`${path}.dir`, { recursive: true });
          writeFileSync(`${path}.dir`, '');
        },
        /\+\/opt\/app\.dir, .*\n.*-\/opt\/app\.dir\/, .*\n.*-\/opt\/app\.dir\/empty, /,
      ],
      [
        'target of a symlink',
        (path) => {
          rmSync(`${path}.link`);
          symlinkSync('other', `${path}.link`);
        },
        /\/opt\/app\.link\(.*target:app￫other\)/,
      ],
      ['new file', (path) => writeFileSync(`${path}.new`, ''), /\+\/opt\/app\.new/],
      ['new directory', (path) => mkdirSync(`${path}.d/sub`, { recursive: true }), /\+\/opt\/app\.d\/sub\//],
    ])('attributes: %s', async (_what, change, text) => {
      change(join(files(top), 'opt/app'));
      const report = await store.check();
      expect(texts(report.layers, top.id).join('\n')).toMatch(text);
      expect(texts(report.layers, top.id).at(-1)).toMatch(/, layer content modified$|no such file/);
      expect(texts(report.layers, base.id)).toEqual([]);
    });

    it('data of an image and a container', async () => {
      await expect(store.check()).resolves.toSatisfy(isSound);
      const item = join(roots.graphRoot, `${driver}-images`, IMAGE, 'manifest');
      writeFileSync(item, '{"longer":1}');
      expect(texts((await store.check()).images, IMAGE)).toEqual([
        `image ${IMAGE}: data item "manifest": image data item has incorrect size`,
      ]);
      rmSync(item);
      expect(texts((await store.check()).images, IMAGE)).toEqual([
        `image ${IMAGE}: data item "manifest": image data item is missing`,
      ]);
    });

    it('lost records', async () => {
      edit('layers', (all) => all.filter(({ id }) => id !== base.id));
      const report = await store.check();
      expect(texts(report.layers, top.id)).toEqual([`layer ${base.id}: layer is missing`]);
      expect(texts(report.images, IMAGE)).toEqual([
        `layer ${base.id}: layer is missing`,
        `image ${IMAGE}: layer ${base.id}: image layer is missing`,
      ]);
    });

    it('a driver layer without record, and one that nobody uses', async () => {
      const id = 'cd'.repeat(32);
      mkdirSync(
        join(files(base), driver === 'overlay' ? '../..' : '..', id, driver === 'overlay' ? 'diff' : ''),
        { recursive: true },
      );
      const [unused] = await store.layers.addChain([layerOf(roots.directory, 'unused', { 'a/b': 'c' })]);
      expect((await store.check()).layers.map(({ id }) => id)).toEqual([id]);
      const report = await store.check({ maxUnreferencedLayerAge: 0 });
      expect(texts(report.layers, id)).toEqual([
        `layer ${id}: layer in lower level storage driver not accounted for`,
      ]);
      expect(texts(report.layers, unused?.id as string)).toEqual([
        `layer ${unused?.id}: layer not referenced by any images or containers`,
      ]);
      const result = await store.repair(report);
      expect(result).toEqual({
        removed: [
          { kind: 'layer', id: unused?.id },
          { kind: 'layer', id },
        ],
        failed: [],
      });
      expect(await store.check({ maxUnreferencedLayerAge: 0 })).toSatisfy(isSound);
    });

    it('tar-split, digest and size', async () => {
      const tarSplit = join(roots.graphRoot, `${driver}-layers`, `${base.id}.tar-split.gz`);
      const content = readFileSync(tarSplit);
      rmSync(tarSplit);
      expect(texts((await store.check()).layers, base.id)).toEqual([
        `layer ${base.id}: layer content incorrect digest`,
      ]);
      writeFileSync(tarSplit, content.subarray(0, 40));
      expect((await store.check()).layers[0]?.findings[0]?.kind).toBe('layer-content-unreadable');
      writeFileSync(tarSplit, content);
      edit('layers', (all) => all.map((each) => (each.id === base.id ? { ...each, 'diff-size': 12 } : each)));
      expect(texts((await store.check()).layers, base.id)[0]).toMatch(
        /read \d+ bytes instead of 12 bytes: layer content incorrect size$/,
      );
    });

    it('repairs: what is damaged goes, and what stands on it', async () => {
      writeFileSync(join(files(base), 'etc/passwd'), 'other\n');
      const report = await store.check();
      const kept = await store.repair(report);
      expect(kept.removed).toEqual([]);
      expect(kept.failed.map(({ kind, error }) => [kind, error.code])).toEqual([
        ['image', 'IMAGE_USED_BY_CONTAINER'],
        ['layer', 'LAYER_HAS_CHILDREN'],
      ]);
      const { removed, failed } = await store.repair(report, { removeContainers: true });
      expect(failed).toEqual([]);
      expect(removed.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
        `container ${report.containers[0]?.id}`,
        `image ${IMAGE}`,
        `layer ${top.id}`,
        `layer ${base.id}`,
      ]);
      const empty = await store.check();
      expect(empty).toSatisfy(isSound);
      expect(empty.checked).toEqual({ layers: 0, images: 0, containers: 0 });
    });

    it('changes nothing', async () => {
      await store.mount('box');
      const listing = () =>
        execFileSync(
          'sh',
          ['-c', `find ${roots.directory} -xdev -printf '%p %y %m %U %G %s %T@ %C@ %n\\n' | sort`],
          { encoding: 'utf8' },
        );
      writeFileSync(join(files(base), 'etc/motd'), 'x');
      const before = listing();
      const mounts = roots.mounts();
      expect((await store.check({ maxUnreferencedLayerAge: 0 })).layers).not.toEqual([]);
      expect(listing()).toBe(before);
      expect(roots.mounts()).toEqual(mounts);
      expect(readdirSync('/proc/self/fd').length).toBeLessThan(200);
    });

    it.runIf(driver === 'overlay')('a lost lower file, and lost links', async () => {
      const dir = join(roots.graphRoot, 'overlay', top.id);
      const links = join(roots.graphRoot, 'overlay/l');
      for (const name of readdirSync(links)) rmSync(join(links, name));
      expect(await store.check()).toSatisfy(isSound);
      expect(readdirSync(links)).toEqual([]);
      rmSync(join(dir, 'lower'));
      expect((await store.check()).layers.map(({ findings }) => findings.map(({ kind }) => kind))).toEqual([
        ['layer-unmountable'],
      ]);
      mkdirSync(join(dir, 'empty'));
      const found = texts((await store.check()).layers, top.id);
      expect(found).toContain(`layer ${top.id}: -/bin/sh, layer content modified`);
      rmSync(join(roots.graphRoot, 'overlay', base.id), { recursive: true });
      expect(
        (await store.check({ quick: true })).layers.map(({ findings }) => findings.map(({ kind }) => kind)),
      ).toEqual([['layer-content-unreadable', 'layer-unmountable'], ['layer-unmountable']]);
    });
  },
);
