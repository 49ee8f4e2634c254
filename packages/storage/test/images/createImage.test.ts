import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const [ONE, TWO] = ['ab01', 'ab02'].map((digits) => digits.padEnd(64, '0')) as [string, string];
const item = (name: string, text: string) => ({ name, bytes: Buffer.from(text) });

describe.skipIf(noStore !== undefined)(`making images (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  let store: Store;

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('takes digest, date and items as given, and names only when they change', async () => {
    const image = await store.images.create({
      id: ONE,
      names: ['a'],
      created: '2020-01-02T03:04:05+02:00',
      flags: { Mine: true },
      bigData: [
        item('x', 'X'),
        item('manifest', 'M'),
        { ...item('manifest-old', 'O'), digest: digestOf('signed') },
      ],
    });
    expect(image).toMatchObject({
      digest: digestOf('M'),
      digests: [digestOf('M'), digestOf('signed')],
      namesHistory: [],
      created: '2020-01-02T03:04:05+02:00',
      flags: { Mine: true },
      bigData: [
        { name: 'x', size: 1, digest: digestOf('X') },
        { name: 'manifest', size: 1, digest: digestOf('M') },
        { name: 'manifest-old', size: 1, digest: digestOf('signed') },
      ],
    });
    expect(await store.images.get('a')).toEqual(image);
    expect((await store.images.setNames('a', ['b', 'a'])).image.namesHistory).toEqual(['a', 'b']);
    expect(await store.images.size(ONE)).toBe(3);
  });

  it('leaves nothing of an image that cannot be made', async () => {
    const bigData = [item('x', 'X'), item('', 'no name')];
    await expect(store.images.create({ id: ONE, bigData })).rejects.toMatchObject({
      code: 'BIG_DATA_NAME_INVALID',
      message: "can't set empty name for image big data item: not a valid name for a big data item",
    });
    expect(await store.images.list()).toEqual([]);
    expect(existsSync(join(roots.graphRoot, 'overlay-images', ONE))).toBe(false);
  });

  it.each(['images.json', 'images.lock', '.tmp-x', 'a/b', '..', 'l', 'tempdirs', '\0'])(
    'takes no id that names a file of the store: %j',
    async (id) => {
      const refusal = { code: 'ID_INVALID', facts: { object: id } };
      await expect(store.images.create({ id })).rejects.toMatchObject(refusal);
      await expect(store.images.put({ id, names: [], bigData: [] })).rejects.toMatchObject(refusal);
      await expect(store.containers.create({ id })).rejects.toMatchObject(refusal);
      await expect(store.layers.create({ id })).rejects.toMatchObject(refusal);
      await expect(store.layers.createInDriver({ id })).rejects.toMatchObject(refusal);
      expect(await store.layers.list()).toEqual([]);
    },
  );

  it('generates the id that is not given', async () => {
    expect((await store.images.create({ id: '' })).id).toMatch(/^[0-9a-f]{64}$/);
    expect((await store.images.create({})).id).toMatch(/^[0-9a-f]{64}$/);
  });

  it('writes the record only when an item changes it', async () => {
    await store.images.create({ id: ONE, bigData: [item('x', 'X')] });
    const token = () => readFileSync(join(roots.graphRoot, 'overlay-images/images.lock'), 'hex');
    const before = token();
    await store.images.setBigData(ONE, 'x', Buffer.from('X'));
    expect(token()).toBe(before);
    await store.images.setBigData(ONE, 'x', Buffer.from('Y'));
    expect(token()).not.toBe(before);
  });

  it('changes and deletes images of the graph root when new ones have a place of their own', async () => {
    await store.layers.create({ id: TWO });
    await store.images.create({ id: ONE, names: ['old'], layer: TWO, bigData: [item('x', 'X')] });
    await store.close();
    const split = await roots.open({ imageStore: join(roots.directory, 'images') });
    await split.images.create({ id: TWO, names: ['new'] });
    expect((await split.images.list()).map(({ names }) => names)).toEqual([['new'], ['old']]);
    await split.images.setBigData('old', 'y', Buffer.from('Y'));
    await split.objects.setMetadata('old', 'text');
    expect(await split.images.get('old')).toMatchObject({
      metadata: 'text',
      bigData: [{ name: 'x' }, { name: 'y' }],
    });
    expect(readdirSync(join(roots.graphRoot, 'overlay-images', ONE))).toEqual(['x', 'y']);
    expect(await split.images.delete('old')).toEqual([TWO]);
    expect((await split.images.list()).map(({ names }) => names)).toEqual([['new']]);
    expect(readdirSync(join(roots.graphRoot, 'overlay-images'))).toEqual(['images.json', 'images.lock']);
  });
});
