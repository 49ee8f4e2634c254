import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CopyRequest, Store } from '../../src/index.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'])(
  `copying into layers of %s and out of them (${noStore ?? 'as root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;
    let source: string;

    beforeEach(async () => {
      roots = new TempRoots();
      store = await roots.open({ driver });
      await store.layers.create({ id: 'layer' });
      source = join(roots.directory, 'source');
      mkdirSync(join(source, 'd'), { recursive: true });
      writeFileSync(join(source, 'f'), 'f');
      linkSync(join(source, 'f'), join(source, 'd/same'));
      symlinkSync('../f', join(source, 'd/link'));
      chmodSync(join(source, 'd'), 0o1705);
      chownSync(join(source, 'd'), 7, 8);
      utimesSync(join(source, 'd'), 1_000_000_000.5, 1_000_000_000.5);
    });
    afterEach(() => roots.cleanup());

    const inLayer = async <T>(fn: (root: string) => T): Promise<T> => {
      const root = await store.mount('layer');
      try {
        return fn(root);
      } finally {
        await store.unmount('layer');
      }
    };
    const failure = (request: CopyRequest): Promise<{ code: string; message: string; facts: object }> =>
      store.copy(request).then(
        () => {
          throw new Error('it was copied');
        },
        (error) => error,
      );
    const ownerOf = (path: string): string => `${lstatSync(path).uid}:${lstatSync(path).gid}`;

    it('copies what is in a directory, as it is', async () => {
      await store.copy({ sources: [{ path: source }], destination: { layer: 'layer', path: '/new/place' } });
      await inLayer((root) => {
        const place = join(root, 'new/place');
        expect(readdirSync(place).sort()).toEqual(['d', 'f']);
        expect(lstatSync(place).mode & 0o7777).toBe(0o755);
        const copied = lstatSync(join(place, 'd'));
        expect([copied.mode & 0o7777, copied.mtimeMs]).toEqual([0o1705, 1_000_000_000_500]);
        expect(ownerOf(join(place, 'd'))).toBe('7:8');
        expect(lstatSync(join(place, 'f')).ino).toBe(lstatSync(join(place, 'd/same')).ino);
        expect(readlinkSync(join(place, 'd/link'))).toBe('../f');
      });
      await store.copy({
        sources: [{ layer: 'layer', path: 'new/place' }],
        destination: { path: join(roots.directory, 'back') },
      });
      expect(readFileSync(join(roots.directory, 'back/d/link'), 'utf8')).toBe('f');
      expect(await store.mounts()).toEqual([]);
    });

    it('merges directories, replaces all else, and gives away what it copies', async () => {
      await inLayer((root) => {
        mkdirSync(join(root, 'd'));
        writeFileSync(join(root, 'd/kept'), 'kept');
        mkdirSync(join(root, 'f/in/the/way'), { recursive: true });
        symlinkSync('/etc', join(root, 'd/same'));
      });
      const chown = { uid: 12, gid: 34 };
      await store.copy({ sources: [{ path: source }], destination: { layer: 'layer', path: '/' }, chown });
      await inLayer((root) => {
        expect(readFileSync(join(root, 'd/kept'), 'utf8')).toBe('kept');
        expect(readFileSync(join(root, 'f'), 'utf8')).toBe('f');
        expect(lstatSync(join(root, 'd/same')).isFile()).toBe(true);
        for (const name of ['f', 'd', 'd/link', 'd/same']) expect(ownerOf(join(root, name))).toBe('12:34');
        expect(ownerOf(join(root, 'd/kept'))).toBe('0:0');
      });
    });

    it('copies a file to a path, or into a directory', async () => {
      const file = { path: join(source, 'f') };
      await store.copy({ sources: [file], destination: { layer: 'layer', path: 'a/b' } });
      await store.copy({
        sources: [file, { path: join(source, 'd/link') }],
        destination: { layer: 'layer', path: 'a/' },
      });
      await inLayer((root) => {
        expect(readdirSync(join(root, 'a')).sort()).toEqual(['b', 'f', 'link']);
        expect(readFileSync(join(root, 'a/link'), 'utf8')).toBe('f');
        expect(lstatSync(join(root, 'a')).mode & 0o777).toBe(0o700);
      });
      expect(await failure({ sources: [file], destination: { layer: 'layer', path: 'a' } })).toMatchObject({
        code: 'COPY_FAILED',
        message: expect.stringContaining('cannot overwrite directory "/a" with non-directory'),
      });
    });

    it('follows symlinks inside of the layer, and never out of it', async () => {
      writeFileSync(join(roots.directory, 'secret'), 'secret');
      await inLayer((root) => {
        mkdirSync(join(root, 'real'));
        symlinkSync('/real', join(root, 'absolute'));
        symlinkSync(roots.directory, join(root, 'out'));
        symlinkSync('../../../../../../../../..', join(root, 'up'));
        symlinkSync('round', join(root, 'round'));
      });
      const file = { path: join(source, 'f') };
      await store.copy({
        sources: [file],
        destination: { layer: 'layer', path: 'up/absolute/../absolute/f' },
      });
      await inLayer((root) => expect(readdirSync(join(root, 'real'))).toEqual(['f']));
      for (const path of [
        'out/secret',
        `up${roots.directory}/secret`,
        '../../../secret',
        'round/x',
        'round',
      ]) {
        const error = await failure({
          sources: [{ layer: 'layer', path }],
          destination: { path: join(roots.directory, 'stolen') },
        });
        expect(error).toMatchObject({ code: 'COPY_FAILED' });
      }
      expect(existsSync(join(roots.directory, 'stolen'))).toBe(false);
      expect(
        await failure({ sources: [file], destination: { layer: 'layer', path: 'out/f' } }),
      ).toMatchObject({
        code: 'COPY_FAILED',
      });
      expect(existsSync(join(roots.directory, 'f'))).toBe(false);
      expect(await store.mounts()).toEqual([]);
    });

    it('translates owners between the ids of both sides', async () => {
      const maps = (hostId: number) => [{ containerId: 0, hostId, size: 1000 }];
      await store.layers.create({ id: 'one', uidMap: maps(10_000), gidMap: maps(10_000) });
      await store.layers.create({ id: 'two', uidMap: maps(20_000), gidMap: maps(20_000) });
      if ((await store.layers.get('one')).uidMap.length === 0) return; // shifted while mounting
      await store.copy({ sources: [{ path: source }], destination: { layer: 'one', path: '/x' } });
      await store.copy({
        sources: [{ layer: 'one', path: '/x' }],
        destination: { layer: 'two', path: '/y' },
      });
      const root = await store.mount('two');
      expect([ownerOf(join(root, 'y')), ownerOf(join(root, 'y/d'))]).toEqual(['20000:20000', '20007:20008']);
      await store.unmount('two');
    });

    it('says what it was that could not be copied', async () => {
      const destination = { layer: 'layer', path: 'x' };
      const missing = join(source, 'missing');
      expect(await failure({ sources: [{ path: missing }], destination })).toMatchObject({
        code: 'COPY_FAILED',
        message: expect.stringMatching(
          /^error copying ".*missing" to ".*\/x": stat .*: no such file or directory$/,
        ),
        facts: { path: missing },
      });
      const unknown = { code: 'LAYER_UNKNOWN', message: 'error finding layer "nobody": layer not known' };
      expect(await failure({ sources: [{ layer: 'nobody', path: '/' }], destination })).toMatchObject(
        unknown,
      );
      expect(await failure({ sources: [], destination: { layer: 'nobody', path: '/' } })).toMatchObject(
        unknown,
      );
    });
  },
);
